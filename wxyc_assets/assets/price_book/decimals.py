"""Exact arithmetic with prices: no float, no context that rounds unseen. Pure.

Source: contract/rated-usage.md, "Money" and price file rules 7 to 9.
"""

import decimal
import re
from decimal import Decimal

DECIMALS = 9
"""Of a billed rate, one nano-dollar being the last: the scale of NUMERIC(20,9)."""

LIMIT = Decimal(10) ** 11
"""What a billed rate must be below to fit NUMERIC(20,9)."""

_NANO = Decimal(1).scaleb(-DECIMALS)
_PLAIN = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

# The default context would round to 28 digits without a word. These hold any result: what was read is bounded, and sums and
# products of it are as well.
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
    rounding=decimal.ROUND_HALF_UP,  # away from zero; the default, half to even, would bill other rates
    traps=[decimal.InvalidOperation, decimal.Overflow],
)


class DecimalError(Exception):
    """A text is no decimal that can be used; the message says why, to follow the name of what it stands for."""


def parse_decimal(text: str) -> Decimal:
    """Read a plain decimal that is not negative, with every digit it has.

    Plain means ASCII digits with at most a sign in front and a point between them: ``0.000000150``, ``+1``, ``-0``, ``007``.
    Raises DecimalError for anything else: exponents, blanks, underscores, currency signs, NaN, a point at either end.
    """
    if not _PLAIN.fullmatch(text):
        raise DecimalError('is not a plain decimal such as "0.000000150"')
    value = Decimal(text)
    if value < 0:
        raise DecimalError("is negative: a price never pays the customer")
    return value.copy_abs()  # -0 is 0


def quantise(value: Decimal) -> Decimal:
    """Round to one nano-dollar, half away from zero; the value must be below ``LIMIT``."""
    return value.quantize(_NANO, context=_QUANTISING)


def fits(value: Decimal) -> bool:
    """Tell whether a value, once quantised, can be stored as NUMERIC(20,9)."""
    return value < LIMIT and quantise(value) < LIMIT


def multiply(one: Decimal, other: Decimal) -> Decimal:
    """Multiply exactly."""
    return _EXACT.multiply(one, other)


def add(one: Decimal, other: Decimal) -> Decimal:
    """Add exactly."""
    return _EXACT.add(one, other)
