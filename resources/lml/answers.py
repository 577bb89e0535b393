"""Reads an HTTP reply of LML: returns the answer that it holds, or raises the error that it means."""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import orjson
from pydantic import ValidationError

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
from resources.redaction import Redactor

EXCERPT_CHARS = 200
MAX_INTEGER_CHARS = 1000

AnswerT = TypeVar("AnswerT", bound=Answer)


class _NotJsonError(Exception):
    """A body that is not JSON."""


class _TooDeepError(Exception):
    """A body that is nested deeper than a parser can follow."""


def read_answer(reply: Reply, endpoint: Endpoint, model: type[AnswerT], *, redactor: Redactor) -> tuple[AnswerT, Any]:
    """Return the answer and the JSON object that it came from.

    Raises the LmlError that the reply means. Neither an answer nor the message that an error quotes has a secret of
    ``redactor``, in whatever spelling LML echoes it: what is read here is stored, logged and shown.
    """
    failure: LmlError | None = None
    if reply.status in endpoint.answer_statuses:
        try:
            return _parse(reply, endpoint, model, redactor)
        except LmlError as error:
            failure = error
    if failure is None or reply.status >= 400:  # noqa: PLR2004 - where HTTP's errors begin
        failure = _error_for(reply, endpoint, redactor)
    raise failure


def parse_retry_after(text: str | None, now: datetime) -> float | None:
    """Return the seconds of a Retry-After header, which holds seconds or an HTTP date; None if it is invalid."""
    text = (text or "").strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds())


def _parse(reply: Reply, endpoint: Endpoint, model: type[AnswerT], redactor: Redactor) -> tuple[AnswerT, Any]:
    if reply.problem is not None:
        raise LmlBrokenAnswer(
            f"LML's answer to {endpoint.path} {reply.problem}",
            retryable=False,
            divisible=reply.too_large,
            status=reply.status,
        )
    divisible = False
    try:
        payload = redactor.answer(_json(reply.body))
        return model.model_validate(payload), payload
    except _NotJsonError:
        text, retryable = "is no JSON; a proxy or a crash may have cut it short, try again", True
    except _TooDeepError:
        text, retryable, divisible = "is nested too deep to be read; one of its results is the cause", False, True
    except ValidationError as error:
        del payload  # the error names places, never values: a reporter would print this frame's locals
        places = ", ".join(sorted({".".join(map(str, e["loc"])) or "the whole body" for e in error.errors()})[:5])
        text, retryable = f"breaks the contract at {places}; compare the versions of LML and of this client", False
    raise LmlBrokenAnswer(
        f"LML's answer to {endpoint.path} {text}", retryable=retryable, divisible=divisible, status=reply.status
    )


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    # One NaN, lone surrogate or byte that is not UTF-8 would lose a whole batch: parse leniently, and let the item models
    # refuse it.
    try:
        text = body.decode(json.detect_encoding(body), "surrogateescape")
        return json.loads(text, strict=False, parse_int=_integer)
    except RecursionError:
        raise _TooDeepError from None
    except ValueError:
        raise _NotJsonError from None


def _integer(digits: str) -> int | float:
    """Return an integer of any length; Python reads those of more than 4300 digits as a float only, which is infinite."""
    return int(digits) if len(digits) <= MAX_INTEGER_CHARS else float(digits)


def _error_for(reply: Reply, endpoint: Endpoint, redactor: Redactor) -> LmlError:
    status = reply.status
    quote = f"{endpoint.path} with {status}{_excerpt(reply.body, redactor)}"
    retry_after_s = parse_retry_after(reply.retry_after, datetime.now(UTC))
    if status in {401, 403}:
        return LmlAuthError(
            f"LML refused the key: it answered {quote}; set LML_API_KEY to LML's own key", status=status
        )
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        text = f"LML asks for fewer calls: it answered {quote}; wait, or lower LML_DISCOGS_BUDGET_PER_MIN"
        return LmlRateLimited(text, status=status, retry_after_s=retry_after_s)
    if 400 <= status < 500:  # noqa: PLR2004 - the client's errors
        return LmlRequestError(f"LML refused the request: it answered {quote}; the same will fail again", status=status)
    if status >= 500:  # noqa: PLR2004 - the server's errors
        text = f"LML failed: it answered {quote}; look at LML, then try again"
        return LmlServerError(text, status=status, retry_after_s=retry_after_s)
    text = f"LML answered {quote}, which is no answer; is LIBRARY_METADATA_URL its final address? (no redirect is followed)"
    return LmlBrokenAnswer(text, retryable=False, status=status)


def _excerpt(body: bytes, redactor: Redactor) -> str:
    """Return the beginning of LML's own error message in quotes, or an empty string."""
    try:
        payload = _json(body)
    except (_NotJsonError, _TooDeepError):
        return ""
    message = payload.get("message") if isinstance(payload, dict) else None
    if not isinstance(message, str):
        return ""
    # Before truncation, which could leave the beginning of the key at the end.
    words = " ".join(re.sub(r"[^\x20-\x7e]", " ", redactor.text(message)).split())
    return f' ("{words[:EXCERPT_CHARS]}")' if words else ""
