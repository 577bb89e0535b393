"""Owns the one question that the gate has for GitHub: how two commits stand to each other."""

import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx
import orjson
from pydantic import SecretStr

from resources.lml.errors import LmlTimeout, LmlUnreachable
from resources.lml.transport import Bearer, DeadlineTransport, exchange

COMPARE_TIMEOUT_S: Final = 15.0
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024  # a comparison lists commits and files, with their patches


class GitHubError(Exception):
    """GitHub could not be asked, or said nothing that can be read; the message says which, never with the token."""


@dataclass(frozen=True)
class Comparison:
    """GitHub's answer: its HTTP status, and the ``status`` in its body, whatever that is."""

    status: int
    relation: object


@dataclass(frozen=True)
class GitHub:
    """GitHub's API at ``api_url``; ``token`` goes along as a bearer if there is one."""

    api_url: str
    token: SecretStr | None = field(default=None, repr=False)

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        """Ask how ``head`` stands to ``base``. Raises GitHubError if there is no answer within 15 s, or one without JSON."""
        commits = "...".join(quote(sha, safe="", errors="replace") for sha in (base, head))
        status, body = self._get(f"{self.api_url.rstrip('/')}/repos/{repository}/compare/{commits}")
        if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's successes
            return Comparison(status, None)
        answer = _json(body)
        return Comparison(status, answer.get("status") if isinstance(answer, dict) else None)

    def _get(self, url: str) -> tuple[int, bytes]:
        auth = self._auth()
        problem: str | None = None
        with httpx.Client(transport=DeadlineTransport(), trust_env=False, follow_redirects=False) as http:
            try:
                headers = {"Accept": "application/vnd.github+json", "User-Agent": "wxyc-assets"}
                request = http.build_request("GET", url, headers=headers, timeout=COMPARE_TIMEOUT_S)
                reply = exchange(http, request, auth=auth, timeout_s=COMPARE_TIMEOUT_S, max_bytes=MAX_ANSWER_BYTES)
                problem = reply.problem
                if problem is None:
                    return reply.status, reply.body
            # Said in other words, and raised below: the originals are LML's, and frames of the HTTP stack hold the token.
            except LmlTimeout:
                problem = f"did not come within {COMPARE_TIMEOUT_S:g} s"
            except LmlUnreachable:
                problem = f"did not come: there is no connection to {self._host()} (GITHUB_API_URL), or it broke"
            except httpx.InvalidURL:
                problem = "was not asked for: that is no commit, or GITHUB_API_URL no address"
        raise GitHubError(f"GitHub's answer {problem}")

    def _auth(self) -> Bearer | None:
        if self.token is None:
            return None
        # Anything else would only fail deep in the HTTP stack, in an exception that quotes the whole header.
        if not re.fullmatch(r"[\x21-\x7e]+", self.token.get_secret_value()):
            raise GitHubError("GITHUB_TOKEN holds a space or a character that no HTTP header can carry; copy it anew")
        return Bearer(self.token)

    def _host(self) -> str:
        return httpx.URL(self.api_url).host


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    raise GitHubError("GitHub's answer is no JSON; look at what stands between us and GITHUB_API_URL")
