"""Turns what a valid file declares into what each model is billed: the premium applied once, then quantised once. Pure.

Source: contract/rated-usage.md, "Resolution order" and "Money".
"""

from collections.abc import Iterator
from decimal import Decimal

from wxyc_assets.price_book.book import Price, PriceBook, Rates
from wxyc_assets.price_book.decimals import quantise
from wxyc_assets.price_book.declared import Declared, Triple
from wxyc_assets.price_book.premium import Premium


def resolve(declared: Declared, digest: str) -> PriceBook:
    """Return the prices of a file that was checked and has no problem."""
    premium = declared.premium or Premium()
    derived = {model: _rates(triple, premium) for model, triple in declared.true_bases()}
    return PriceBook(
        version=1,
        digest=digest,
        priced=tuple(sorted(_priced(declared, derived), key=_by_model)),
        derived=tuple(
            sorted((Price(model, rates, "derived", model) for model, rates in derived.items() if model), key=_by_model)
        ),
        gpu_floors=tuple(sorted(declared.gpu_floors.items())),
    )


def _priced(declared: Declared, derived: dict[str, Rates]) -> Iterator[Price]:
    """A rate of its own wins over the base that a fine-tune names, and bypasses the premium."""
    for model, triple in declared.bases.items():
        yield Price(model, _rates(triple, Premium()), "base")
    for model, triple in declared.own.items():
        yield Price(model, _rates(triple, Premium()), "own")
    for model, base in declared.derived_from.items():
        if model not in declared.own:
            yield Price(model, derived[base.text], "derived", base.text)


def _rates(triple: Triple, premium: Premium) -> Rates:
    def rate(component: str) -> Decimal:
        return quantise(premium.on(triple[component].value))

    return Rates(rate("prompt"), rate("cached"), rate("completion"))


def _by_model(price: Price) -> str:
    return price.model
