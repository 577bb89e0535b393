"""The one request of the gate to GitHub: how two commits relate to each other."""

import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx
import orjson
from pydantic import SecretStr

from resources.deadline_transport import DeadlineTransport
from resources.lml.errors import LmlTimeout, LmlUnreachable
from resources.lml.transport import Bearer, exchange

COMPARE_TIMEOUT_S: Final = 15.0
MAX_ANSWER_BYTES: Final = 32 * 1024 * 1024  # a comparison lists commits and files, with their patches


class GitHubError(Exception):
    """GitHub did not answer, or its answer is unreadable; the message says which, and never holds the token."""


@dataclass(frozen=True)
class Comparison:
    """GitHub's answer: its HTTP status, and as ``relation`` the unchecked ``status`` of its body."""

    status: int
    relation: object


@dataclass(frozen=True)
class GitHub:
    """GitHub's API at ``api_url``; ``token``, if there is one, is sent as a bearer token."""

    api_url: str
    token: SecretStr | None = field(default=None, repr=False)

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        """Return how ``head`` relates to ``base``. Raises GitHubError without an answer in 15 s, or if it is no JSON."""
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
            # Reworded, because the originals name LML; raised below, because frames of the HTTP stack hold the token.
            except LmlTimeout:
                problem = f"did not arrive within {COMPARE_TIMEOUT_S:g} s"
            except LmlUnreachable:
                problem = f"did not arrive: there is no connection to {self._host()} (GITHUB_API_URL), or it broke"
            except httpx.InvalidURL:
                problem = "was not requested: that is no commit, or GITHUB_API_URL is no URL"
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
    raise GitHubError("GitHub's answer is no JSON; check the proxies in front of GITHUB_API_URL")
