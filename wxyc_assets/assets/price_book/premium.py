"""What a fine-tune costs beyond its base: the one premium of the file. Pure.

Source: contract/rated-usage.md, "Resolution order" and price file rule 15.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from wxyc_assets.price_book.decimals import add, multiply

Policy = Literal["identity", "multiplier", "markup"]


@dataclass(frozen=True, slots=True)
class Premium:
    """How a base's rate becomes a fine-tune's; ``amount`` is the factor, or the markup in USD a token."""

    policy: Policy = "identity"
    amount: Decimal = Decimal(0)

    def on(self, rate: Decimal) -> Decimal:
        """Return the fine-tune's rate, exact: it is quantised afterwards, and only once."""
        match self.policy:
            case "identity":
                return rate
            case "multiplier":
                return multiply(rate, self.amount)
            case "markup":
                return add(rate, self.amount)
