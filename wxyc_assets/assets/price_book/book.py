"""The rates at which usage is billed: exact, final, and ready for SQL. Pure.

Usage::

    book = load_price_book(path)  # wxyc_assets.assets.price_book.load; raises resources.price_file.PriceFileError
    connection.execute(sql_files.load(...), {**book.sql_parameters(), ...})

An event gets the first rate that applies (contract/rated-usage.md, "Resolution order"):

1. the rate in ``priced`` under the event's ``model``, whatever its ``base_model`` is: ``priced`` holds base models, fine-tunes
   with a rate of their own, and fine-tunes that the file derives from a base, with the premium already applied;
2. if ``model`` starts with ``ft:``, the rate in ``derived`` under the event's ``base_model``, with the premium already applied
   (``derived`` never holds the empty id, so an empty ``base_model`` matches nothing);
3. no rate: the event is unpriced.

Every rate is already quantised: multiply tokens by it, and round nothing afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

FINE_TUNE_PREFIX = "ft:"
COMPONENTS = ("prompt", "cached", "completion")

Source = Literal["base", "own", "derived"]


@dataclass(frozen=True, slots=True)
class Rates:
    """USD per token of each kind, each with nine decimals and not negative."""

    prompt: Decimal
    cached: Decimal
    completion: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """The price of a model.

    Attributes:
        model: the model's id; in ``PriceBook.derived``, the id of the base that a fine-tune was made from.
        rates: what one token costs.
        source: ``base``: listed in base_models; ``own``: a fine-tune's own rate; ``derived``: base x premium.
        derived_from: the base that the premium was applied to, if ``source`` is ``derived``.
    """

    model: str
    rates: Rates
    source: Source
    derived_from: str | None = None


@dataclass(frozen=True, slots=True)
class PriceBook:
    """A valid price file. A model is at most once in ``priced`` and at most once in ``derived``; both are sorted by model.

    Attributes:
        version: the version of the file format; always 1.
        digest: SHA-256 of the file's bytes, as 64 hexadecimal digits: it identifies the prices that a row was rated with.
        priced: the price of each model that the file names.
        derived: the price of a ``ft:`` model that the file does not name, by the base that its events name: one entry for each
            true base.
        gpu_floors: the lowest price of each GPU type in USD, as written in the file. Rating does not use it.
        effective_from: the first UTC hour that is billed with this book; earlier hours keep the one before. None: all hours.
        content: the file's bytes; empty if the book was not read from a file.
    """

    version: int
    digest: str
    priced: tuple[Price, ...]
    derived: tuple[Price, ...]
    gpu_floors: tuple[tuple[str, Decimal], ...] = ()
    effective_from: datetime | None = None
    content: bytes = field(default=b"", repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.priced:
            raise ValueError("a price book without prices would leave every event unpriced")

    def sql_parameters(self) -> dict[str, list[str]]:
        """Return the rates as eight text arrays for ``unnest``, rates as decimal text: cast them with ``::numeric(20, 9)``.

        ``priced_models``, ``priced_prompt_rates``, ``priced_cached_rates``, ``priced_completion_rates`` and the same four
        for ``derived_``. The four arrays of one kind have the same length, and their n-th entries belong together.
        """
        return {**_columns("priced", self.priced), **_columns("derived", self.derived)}


def _columns(name: str, prices: Iterable[Price]) -> dict[str, list[str]]:
    listed = list(prices)
    return {
        f"{name}_models": [price.model for price in listed],
        f"{name}_prompt_rates": [f"{price.rates.prompt:f}" for price in listed],
        f"{name}_cached_rates": [f"{price.rates.cached:f}" for price in listed],
        f"{name}_completion_rates": [f"{price.rates.completion:f}" for price in listed],
    }
