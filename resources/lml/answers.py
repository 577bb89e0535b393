"""Owns the reading of a reply: the answer that it holds, or the error that it is."""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import orjson
from pydantic import SecretStr, ValidationError

from resources.lml.endpoints import Endpoint
from resources.lml.errors import (
    LmlAuthError,
    LmlBrokenAnswer,
    LmlError,
    LmlRateLimited,
    LmlRequestError,
    LmlServerError,
)
from resources.lml.models import Answer
from resources.lml.transport import Reply

EXCERPT_CHARS = 200

AnswerT = TypeVar("AnswerT", bound=Answer)


class _NoJsonError(Exception):
    """A body that is no JSON."""


def read_answer(
    reply: Reply, endpoint: Endpoint, model: type[AnswerT], *, secret: SecretStr | None
) -> tuple[AnswerT, Any]:
    """Return the answer and the JSON object that it came from.

    Raises the LmlError that the reply stands for. ``secret`` is taken out of whatever LML's own words are quoted.
    """
    failure: LmlError | None = None
    if reply.status in endpoint.answer_statuses:
        try:
            return _parse(reply, endpoint, model)
        except LmlError as error:
            failure = error
    if failure is None or reply.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
        failure = _error_for(reply, endpoint, secret)
    raise failure


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for, given as such or as an HTTP date; None for nonsense."""
    text = (text or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())


def _parse(reply: Reply, endpoint: Endpoint, model: type[AnswerT]) -> tuple[AnswerT, Any]:
    if reply.problem is not None:
        raise LmlBrokenAnswer(f"LML's answer to {endpoint.path} {reply.problem}", retryable=False, status=reply.status)
    try:
        payload = _json(reply.body)
        return model.model_validate(payload), payload
    except _NoJsonError:
        text, retryable = "is no JSON; a proxy or a crash may have cut it, try again", True
    except ValidationError as error:
        del payload  # only where, never what: its values would be printed with the locals of this frame
        places = ", ".join(sorted({".".join(map(str, e["loc"])) or "the whole body" for e in error.errors()})[:5])
        text, retryable = f"breaks the contract at {places}; compare the versions of LML and of this client", False
    raise LmlBrokenAnswer(f"LML's answer to {endpoint.path} {text}", retryable=retryable, status=reply.status)


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # One NaN or lone surrogate would lose a whole batch: read it the lenient way, and let the item models refuse it.
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _NoJsonError from None


def _error_for(reply: Reply, endpoint: Endpoint, secret: SecretStr | None) -> LmlError:
    status = reply.status
    said = f"{endpoint.path} with {status}{_excerpt(reply.body, secret)}"
    retry_after_s = parse_retry_after(reply.retry_after, datetime.now(UTC))
    if status in {401, 403}:
        return LmlAuthError(f"LML refused the key: it answered {said}; set LML_API_KEY to LML's own key", status=status)
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        text = f"LML asks for fewer calls: it answered {said}; wait, or lower LML_DISCOGS_BUDGET_PER_MIN"
        return LmlRateLimited(text, status=status, retry_after_s=retry_after_s)
    if 400 <= status < 500:  # noqa: PLR2004 - the client's errors
        return LmlRequestError(f"LML refused the request: it answered {said}; the same will fail again", status=status)
    if status >= 500:  # noqa: PLR2004 - the server's errors
        text = f"LML failed: it answered {said}; look at LML, then try again"
        return LmlServerError(text, status=status, retry_after_s=retry_after_s)
    text = (
        f"LML answered {said}, which is no answer; is LIBRARY_METADATA_URL its final address? (no redirect is followed)"
    )
    return LmlBrokenAnswer(text, retryable=False, status=status)


def _excerpt(body: bytes, secret: SecretStr | None) -> str:
    """Return the beginning of LML's own error message, ready to be appended, or nothing."""
    try:
        payload = _json(body)
    except _NoJsonError:
        return ""
    message = payload.get("message") if isinstance(payload, dict) else None
    if not isinstance(message, str):
        return ""
    if secret:  # before cutting, or the beginning of the key could be left at the end
        message = message.replace(secret.get_secret_value(), "[key]")
    words = " ".join(re.sub(r"[^\x20-\x7e]", " ", message).split())
    return f' ("{words[:EXCERPT_CHARS]}")' if words else ""
