"""Turns a valid price file into the rate of each model: the premium is applied once, then the rate is quantised once. Pure.

Source: contract/rated-usage.md, "Resolution order" and "Money".
"""

from collections.abc import Iterator
from decimal import Decimal

from wxyc_assets.assets.price_book.book import Price, PriceBook, Rates
from wxyc_assets.assets.price_book.decimals import quantise
from wxyc_assets.assets.price_book.parsed_file import ParsedFile, RateTriple
from wxyc_assets.assets.price_book.premium import Premium


def resolve(parsed: ParsedFile, digest: str) -> PriceBook:
    """Return the prices of a file that was validated and has no problem."""
    premium = parsed.premium or Premium()
    derived = {model: _rates(triple, premium) for model, triple in parsed.true_bases()}
    return PriceBook(
        version=1,
        digest=digest,
        priced=tuple(sorted(_priced(parsed, derived), key=_by_model)),
        derived=tuple(
            sorted((Price(model, rates, "derived", model) for model, rates in derived.items() if model), key=_by_model)
        ),
        gpu_floors=tuple(sorted(parsed.gpu_floors.items())),
        effective_from=parsed.effective_from,
    )


def _priced(parsed: ParsedFile, derived: dict[str, Rates]) -> Iterator[Price]:
    """A fine-tune's own rate takes precedence over the base that it names, and gets no premium."""
    for model, triple in parsed.bases.items():
        yield Price(model, _rates(triple, Premium()), "base")
    for model, triple in parsed.own.items():
        yield Price(model, _rates(triple, Premium()), "own")
    for model, base in parsed.derived_from.items():
        if model not in parsed.own:
            yield Price(model, derived[base.text], "derived", base.text)


def _rates(triple: RateTriple, premium: Premium) -> Rates:
    def rate(component: str) -> Decimal:
        return quantise(premium.apply_to(triple[component].value))

    return Rates(rate("prompt"), rate("cached"), rate("completion"))


def _by_model(price: Price) -> str:
    return price.model
