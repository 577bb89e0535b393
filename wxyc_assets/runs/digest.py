"""How a rejected payload is recorded: its first problem, and a digest in place of the payload. Pure."""

import hashlib
import json
from typing import Any

import orjson
from pydantic import ValidationError

MAX_PROBLEM_CHARS = 500
ANSWER_DIGITS = 16


def first_problem(error: Exception) -> str:
    """Return the first problem in one line: of a validation without the value that has it, of another error its text."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'answer'}: {first['msg']}"[:MAX_PROBLEM_CHARS]
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"[:MAX_PROBLEM_CHARS]


def answer_digest(answer: Any) -> str:
    """Return the first 16 hex digits of the SHA-256 of an answer of LML, of its JSON with sorted keys; ``digest`` is slower."""
    try:
        text = orjson.dumps(answer, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # an integer of more than 64 bits, half a surrogate pair
        return digest(answer)[:ANSWER_DIGITS]
    return hashlib.sha256(text).hexdigest()[:ANSWER_DIGITS]


def digest(payload: Any) -> str:
    """Return the SHA-256 of a payload as hex: it tells two payloads apart, and the payload itself is not stored."""
    try:
        text = json.dumps(payload, sort_keys=True, default=str)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - nested too deep, an integer of thousands of digits: payloads are anything
        text = f"no JSON: {type(error).__name__}"
    return hashlib.sha256(text.encode()).hexdigest()
