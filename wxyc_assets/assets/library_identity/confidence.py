"""How a confidence is stored. Pure."""

SMALLEST_REAL = 2.0**-149
"""The smallest positive number that a ``real`` holds."""


def as_real(confidence: float) -> float:
    """Return a confidence that PostgreSQL's ``real`` accepts: it refuses a number too close to 0 instead of rounding it."""
    return confidence if confidence >= SMALLEST_REAL else 0.0
