"""The content of a price file as written: exact amounts with their lines, before any premium and any rounding. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from resources.yaml_text import Text
from wxyc_assets.assets.price_book.book import FINE_TUNE_PREFIX
from wxyc_assets.assets.price_book.premium import Premium


@dataclass(frozen=True, slots=True)
class Amount:
    """A rate with all its digits, and its line in the file."""

    value: Decimal
    line: int


RateTriple = Mapping[str, Amount]
"""A model's rates by component. A rate that could not be read is missing, and its problem is reported."""


@dataclass(frozen=True)
class ParsedFile:
    """The content of a file. It is complete only if no problem was reported.

    Attributes:
        bases: the rates in base_models, by model.
        own: the fine-tunes' own rates, by model.
        derived_from: the base that each fine-tune names, by model, whether or not it has a rate of its own.
        premium: the premium of the whole file; None if it could not be read.
        gpu_floors: USD by GPU type.
        effective_from: the first UTC hour of these prices; None: all hours.
    """

    bases: Mapping[str, RateTriple] = field(default_factory=dict)
    own: Mapping[str, RateTriple] = field(default_factory=dict)
    derived_from: Mapping[str, Text] = field(default_factory=dict)
    premium: Premium | None = None
    gpu_floors: Mapping[str, Decimal] = field(default_factory=dict)
    effective_from: datetime | None = None

    def is_true_base(self, model: str) -> bool:
        """Return whether fine-tunes may derive from a priced model: only one hop is allowed, so it must not be a fine-tune."""
        return not model.startswith(FINE_TUNE_PREFIX) and model not in self.derived_from

    def true_bases(self) -> Iterator[tuple[str, RateTriple]]:
        """Yield the models that fine-tunes may derive from, with their rates.

        A model under fine_tunes with a rate of its own is included if its id does not start with ``ft:`` and it names no base.
        """
        for model, rates in {**self.own, **self.bases}.items():
            if self.is_true_base(model):
                yield model, rates
