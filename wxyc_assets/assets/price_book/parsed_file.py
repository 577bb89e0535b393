"""What a price file says, taken literally: exact amounts with their lines, before any premium and any rounding. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from resources.yaml_text import Text
from wxyc_assets.price_book.book import FINE_TUNE_PREFIX
from wxyc_assets.price_book.premium import Premium


@dataclass(frozen=True, slots=True)
class Amount:
    """A rate with all its digits, and the line that it stands on."""

    value: Decimal
    line: int


Triple = Mapping[str, Amount]
"""A model's rates by component; one that could not be read is missing, and noted."""


@dataclass(frozen=True)
class Declared:
    """The content of a file. Complete only if no problem was noted.

    Attributes:
        bases: the rates in base_models, by model.
        own: the rates that fine-tunes have of their own, by model.
        derived_from: the base that fine-tunes name, by model, whether they have a rate of their own or not.
        premium: of the whole file; None if it cannot be told.
        gpu_floors: USD by GPU type.
    """

    bases: Mapping[str, Triple] = field(default_factory=dict)
    own: Mapping[str, Triple] = field(default_factory=dict)
    derived_from: Mapping[str, Text] = field(default_factory=dict)
    premium: Premium | None = None
    gpu_floors: Mapping[str, Decimal] = field(default_factory=dict)

    def is_true_base(self, model: str) -> bool:
        """Tell whether fine-tunes may derive from a priced model: one hop only, so it is no fine-tune itself."""
        return not model.startswith(FINE_TUNE_PREFIX) and model not in self.derived_from

    def true_bases(self) -> Iterator[tuple[str, Triple]]:
        """Yield what fine-tunes may derive from.

        That includes what fine_tunes gives a rate of its own, if it neither is called ``ft:`` nor names a base.
        """
        for model, rates in {**self.own, **self.bases}.items():
            if self.is_true_base(model):
                yield model, rates
