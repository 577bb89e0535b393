"""One thing that ``wxyc doctor`` looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, what was seen, and what to do about it."""

    name: str
    ok: bool
    says: str
    advice: str = ""
