"""Amounts of money as exact integers, parsed from PostgreSQL's decimal text and printed as such. Pure."""

import re
from dataclasses import dataclass
from typing import Self

DECIMALS = 9
_NANO = 10**DECIMALS
_TEXT = re.compile(r"(-?)([0-9]+)(?:\.([0-9]{1,9}))?")


@dataclass(frozen=True, order=True, slots=True)
class Usd:
    """An amount in nano-dollars. SQL computes prices and costs; Python only adds them up, exactly.

    Adding 0 is allowed, so that ``sum`` works. The text always has nine decimals: ``0.002115000``.
    """

    nano: int = 0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse PostgreSQL's text of a numeric; raises ValueError unless it is an amount of whole nano-dollars."""
        match = _TEXT.fullmatch(text)
        if not match:
            raise ValueError(f"{text!r} is not an amount in whole nano-dollars")
        sign, whole, fraction = match.groups()
        nano = int(whole) * _NANO + int((fraction or "").ljust(DECIMALS, "0"))
        return cls(-nano if sign else nano)

    def __add__(self, other: object) -> "Usd":
        if isinstance(other, Usd):
            return Usd(self.nano + other.nano)
        return self if other == 0 else NotImplemented

    __radd__ = __add__

    def __sub__(self, other: "Usd") -> "Usd":
        return Usd(self.nano - other.nano)

    def __str__(self) -> str:
        whole, fraction = divmod(abs(self.nano), _NANO)
        return f"{'-' if self.nano < 0 else ''}{whole}.{fraction:0{DECIMALS}d}"
