"""What is kept of something that could not be used: why, and how to tell it from another. Pure."""

import hashlib
import json
from typing import Any

from pydantic import ValidationError


def first_problem(error: ValidationError) -> str:
    """Say in one line what was wrong first, without the value that was."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'answer'}: {first['msg']}"


def digest(payload: Any) -> str:
    """Return the SHA-256 of a payload as hex: tells two failures apart without keeping what may not be kept."""
    try:
        text = json.dumps(payload, sort_keys=True, default=str)
    except RecursionError:
        text = "nested too deep"  # the wire's parser goes deeper than this one
    return hashlib.sha256(text.encode()).hexdigest()
