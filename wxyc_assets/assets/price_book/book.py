"""The rates that usage is billed at: exact, final, and ready for SQL. Pure.

How rating uses it::

    book = load_price_book(path)  # wxyc_assets.price_book.load; raises resources.price_file.PriceFileError
    connection.execute(sql_files.load(...), {**book.sql_parameters(), ...})

Which rate an event gets, in this order (contract/rated-usage.md, "Resolution order"):

1. the one in ``priced`` under the event's ``model``, whatever its ``base_model`` says: base models, fine-tunes with a rate of
   their own, and fine-tunes that the file derives from a base, the premium applied already;
2. if ``model`` starts with ``ft:``, the one in ``derived`` under the event's ``base_model``, the premium applied already
   (``derived`` never holds the empty id, so that an empty ``base_model`` finds nothing);
3. none: the event is unpriced.

Every rate is quantised: multiply tokens with it as it stands, and round nothing afterwards.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

FINE_TUNE_PREFIX = "ft:"
COMPONENTS = ("prompt", "cached", "completion")

Source = Literal["base", "own", "derived"]


@dataclass(frozen=True, slots=True)
class Rates:
    """USD for one token of each kind, each at nine decimals and not negative."""

    prompt: Decimal
    cached: Decimal
    completion: Decimal


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs.

    Attributes:
        model: the model's id; in ``PriceBook.derived`` that of the base that a fine-tune was made from.
        rates: what is billed for a token.
        source: ``base``: listed in base_models; ``own``: a fine-tune's own rate; ``derived``: base x premium.
        derived_from: the base that the premium was applied to, where ``source`` is ``derived``.
    """

    model: str
    rates: Rates
    source: Source
    derived_from: str | None = None


@dataclass(frozen=True, slots=True)
class PriceBook:
    """A valid price file. No model is in ``priced`` twice, none in ``derived`` twice; both are sorted by model.

    Attributes:
        version: of the file's format; always 1.
        digest: SHA-256 of the file's bytes, as 64 hexadecimal digits: which prices a row was rated with.
        priced: what each model costs that the file names.
        derived: what a ``ft:`` model costs that the file does not name, by the base that its events name: a row for each
            true base.
        gpu_floors: the lowest price of each GPU type in USD, as the file gives it. Usage is not rated with it.
    """

    version: int
    digest: str
    priced: tuple[Price, ...]
    derived: tuple[Price, ...]
    gpu_floors: tuple[tuple[str, Decimal], ...] = ()

    def __post_init__(self) -> None:
        if not self.priced:
            raise ValueError("a price book without prices would leave everything unpriced")

    def sql_parameters(self) -> dict[str, list[str]]:
        """Return the rates as eight text arrays for ``unnest``, rates as decimal text: cast them with ``::numeric(20, 9)``.

        ``priced_models``, ``priced_prompt_rates``, ``priced_cached_rates``, ``priced_completion_rates`` and the same four
        for ``derived_``; the four of a kind are equally long, and the n-th entries belong together.
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
