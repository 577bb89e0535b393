"""Exact arithmetic with prices: no float, and no decimal context that rounds silently. Pure.

Source: contract/rated-usage.md, "Money" and price file rules 7 to 9.
"""

import decimal
import re
from decimal import Decimal

DECIMALS = 9
"""Decimals of a billed rate: the last is one nano-dollar, as in NUMERIC(20,9)."""

RATE_LIMIT = Decimal(10) ** 11
"""A billed rate must be below this to fit NUMERIC(20,9)."""

_NANO = Decimal(1).scaleb(-DECIMALS)
_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

# The default context would silently round to 28 digits. These contexts hold any result: the inputs have a bounded length, and
# so have their sums and products.
_EXACT = decimal.Context(
    prec=decimal.MAX_PREC,
    Emax=decimal.MAX_EMAX,
    Emin=decimal.MIN_EMIN,
    traps=[decimal.Inexact, decimal.InvalidOperation, decimal.Overflow],
)
_QUANTISING = decimal.Context(
    prec=decimal.MAX_PREC,
    Emax=decimal.MAX_EMAX,
    Emin=decimal.MIN_EMIN,
    rounding=decimal.ROUND_HALF_UP,  # away from zero; the default, half to even, would bill different rates
    traps=[decimal.InvalidOperation, decimal.Overflow],
)


class DecimalError(Exception):
    """A text is not a usable decimal; the message says why, and is meant to follow the name of the value."""


def parse_decimal(text: str) -> Decimal:
    """Read a plain decimal that is not negative, without losing a digit.

    Plain means ASCII digits with an optional sign in front and an optional point between them, such as ``0.000000150``,
    ``+1``, ``-0`` or ``007``.
    Raises DecimalError for anything else: exponents, blanks, underscores, currency signs, NaN, a point at either end.
    """
    if not _PLAIN.fullmatch(text):
        raise DecimalError('is not a plain decimal such as "0.000000150"')
    value = Decimal(text)
    if value < 0:
        raise DecimalError("is negative: a price never pays the customer")
    return value.copy_abs()  # -0 is 0


def quantise(value: Decimal) -> Decimal:
    """Round to one nano-dollar, half away from zero. The value must be below ``RATE_LIMIT``."""
    return value.quantize(_NANO, context=_QUANTISING)


def fits_numeric(value: Decimal) -> bool:
    """Return whether the quantised value can be stored as NUMERIC(20,9)."""
    return value < RATE_LIMIT and quantise(value) < RATE_LIMIT


def multiply(one: Decimal, other: Decimal) -> Decimal:
    """Multiply exactly."""
    return _EXACT.multiply(one, other)


def add(one: Decimal, other: Decimal) -> Decimal:
    """Add exactly."""
    return _EXACT.add(one, other)
