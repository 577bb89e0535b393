"""The premium of a price file: what a fine-tune costs beyond its base. Pure.

Source: contract/rated-usage.md, "Resolution order" and price file rule 15.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from wxyc_assets.assets.price_book.decimals import add, multiply

Policy = Literal["identity", "multiplier", "markup"]


@dataclass(frozen=True, slots=True)
class Premium:
    """How a base's rate becomes a fine-tune's; ``amount`` is the factor, or the markup in USD per token."""

    policy: Policy = "identity"
    amount: Decimal = Decimal(0)

    def apply_to(self, rate: Decimal) -> Decimal:
        """Return the exact rate of the fine-tune; the caller quantises it, once."""
        match self.policy:
            case "identity":
                return rate
            case "multiplier":
                return multiply(rate, self.amount)
            case "markup":
                return add(rate, self.amount)
