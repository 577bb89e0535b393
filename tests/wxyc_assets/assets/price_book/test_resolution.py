"""The rate of each model: the contract's own examples, then any file against a reference in plain fractions."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from resources.strict_yaml import parse
from tests.wxyc_assets.assets.price_book.example_files import VALID, as_yaml, changed
from wxyc_assets.assets.price_book.book import Price, PriceBook
from wxyc_assets.assets.price_book.resolution import resolve
from wxyc_assets.assets.price_book.rules import validate


def book_of(text):
    root, problems = parse(text.encode())
    parsed, violations = validate(root)
    assert [*problems, *violations] == []
    return resolve(parsed, "digest")


def rates(prices):
    """The rates as text by model."""
    return {
        price.model: tuple(f"{rate:f}" for rate in (price.rates.prompt, price.rates.cached, price.rates.completion))
        for price in prices
    }


def billed(book, model, base_model=None):
    """Resolve an event's rate as the contract describes it: the reference for the SQL."""
    priced, derived = rates(book.priced), rates(book.derived)
    if model in priced:
        return priced[model]
    return derived.get(base_model) if model.startswith("ft:") else None


M = {"prompt": "0.000003", "cached": "0.0000003", "completion": "0.00001"}
BASE = ("0.000003000", "0.000000300", "0.000010000")


def with_premium(**premium):
    fine_tunes = {"ft:derived": {"derived_from": "m"}, "ft:own": {"derived_from": "m", "rate": M}}
    return book_of(
        as_yaml({"version": "1", "base_models": {"m": M}, "fine_tune_premium": premium, "fine_tunes": fine_tunes})
    )


@pytest.mark.parametrize(
    ("premium", "derived"),
    [
        ({}, BASE),
        ({"policy": "identity"}, BASE),
        ({"policy": "multiplier", "factor": "1.5"}, ("0.000004500", "0.000000450", "0.000015000")),
        ({"policy": "multiplier", "factor": "1000"}, ("0.003000000", "0.000300000", "0.010000000")),
        ({"policy": "markup", "markup": "0.000001"}, ("0.000004000", "0.000001300", "0.000011000")),
    ],
)
def test_the_premium_applies_only_to_derived_rates(premium, derived):
    book = with_premium(**premium)
    assert billed(book, "m") == BASE
    assert billed(book, "ft:own") == BASE  # its own rate wins over the base that it names
    assert billed(book, "ft:derived") == derived
    assert billed(book, "ft:unlisted", "m") == derived


def test_a_free_rate_becomes_the_markup_but_no_factor_changes_it():
    """A free component costs the markup under a markup policy and stays free under a multiplier."""
    free = {"version": "1", "base_models": {"m": M | {"cached": "0"}}}
    marked = book_of(as_yaml({**free, "fine_tune_premium": {"policy": "markup", "markup": "0.000000007"}}))
    assert rates(marked.derived)["m"][1] == "0.000000007"
    multiplied = book_of(as_yaml({**free, "fine_tune_premium": {"policy": "multiplier", "factor": "3"}}))
    assert rates(multiplied.derived)["m"][1] == "0.000000000"


def test_the_premium_is_applied_before_the_only_rounding():
    book = book_of(
        as_yaml(
            {
                "version": "1",
                "base_models": {"b": {"prompt": "0.000000001", "cached": "0.0000000015", "completion": "0.0000000005"}},
                "fine_tune_premium": {"policy": "multiplier", "factor": "1.5"},
            }
        )
    )
    assert rates(book.priced)["b"] == ("0.000000001", "0.000000002", "0.000000001")
    assert rates(book.derived)["b"] == ("0.000000002", "0.000000002", "0.000000001")  # 1.5, 2.25, 0.75 nano-dollars


def test_fine_tunes_derive_only_from_true_bases():
    book = book_of(VALID)
    assert list(rates(book.derived)) == ["base", "cheap", "house"]  # a house model with its own rate and no ft: is one
    for base_model in ("ft:own", "ft:both", "ft:derived", "unknown", "", None):
        assert billed(book, "ft:unlisted", base_model) is None


def test_an_unknown_model_without_the_prefix_has_no_price():
    assert billed(book_of(VALID), "unlisted", "base") is None


def test_the_empty_id_may_be_priced_but_not_derived_from():
    book = book_of(changed("  cheap:", '  "":').replace("derived_from: cheap", "derived_from: base"))
    assert "" in rates(book.priced)
    assert "" not in rates(book.derived)


def test_a_price_says_where_it_comes_from():
    sources = {price.model: (price.source, price.derived_from) for price in book_of(VALID).priced}
    assert sources == {
        "base": ("base", None),
        "cheap": ("base", None),
        "ft:both": ("own", None),
        "ft:derived": ("derived", "base"),
        "ft:own": ("own", None),
        "house": ("own", None),
    }


def test_sql_parameters_are_parallel_arrays_of_plain_decimals():
    """The n-th entries of the four arrays of one kind belong to the same model."""
    small = {"prompt": "0.000000001", "cached": "0", "completion": "0.00001"}  # Decimal would write 1E-9 and 0E-9
    file = {"version": "1", "base_models": {"b": small}, "fine_tunes": {"ft:x": {"derived_from": "b"}}}
    premium = {"policy": "multiplier", "factor": "2"}
    assert book_of(as_yaml({**file, "fine_tune_premium": premium})).sql_parameters() == {
        "priced_models": ["b", "ft:x"],
        "priced_prompt_rates": ["0.000000001", "0.000000002"],
        "priced_cached_rates": ["0.000000000", "0.000000000"],
        "priced_completion_rates": ["0.000010000", "0.000020000"],
        "derived_models": ["b"],
        "derived_prompt_rates": ["0.000000002"],
        "derived_cached_rates": ["0.000000000"],
        "derived_completion_rates": ["0.000020000"],
    }


def test_gpu_floors_are_kept_as_they_are_written():
    floors = book_of(VALID).gpu_floors
    assert [(gpu, str(floor)) for gpu, floor in floors] == [("a100", "0"), ("l4", "0.000123")]


def test_a_book_cannot_be_empty_or_changed():
    with pytest.raises(ValueError, match="without prices"):
        PriceBook(version=1, digest="", priced=(), derived=())
    book = book_of(VALID)
    with pytest.raises(AttributeError):
        book.priced = ()
    assert all(isinstance(price, Price) for price in book.priced)


IDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
DECIMALS = st.one_of(
    st.sampled_from(["0", "-0.0", "+1", "007", "0.0000000005", "0.0000000015", "99999999999.9999999995"]),
    st.builds(
        "{}.{:09}{}".format, st.integers(0, 10**6), st.integers(0, 10**9 - 1), st.sampled_from(["", "5", "49", "51"])
    ),
    st.builds(
        "0.000000{:03}{}".format, st.integers(0, 99), st.sampled_from(["", "5", "499999999999999999999999999999"])
    ),
)
TRIPLES = st.builds(lambda *rates: dict(zip(("prompt", "cached", "completion"), rates, strict=True)), *[DECIMALS] * 3)
PREMIUMS = st.one_of(
    st.just({}),
    st.just({"policy": "identity"}),
    st.builds(lambda factor: {"policy": "multiplier", "factor": factor}, DECIMALS),
    st.builds(lambda markup: {"policy": "markup", "markup": markup}, DECIMALS),
)


@st.composite
def files(draw):
    """Files that can break only rules 9 and 16 and the upper bound of a rate: those depend on the amounts."""
    bases = draw(
        st.dictionaries(IDS.filter(lambda model: not model.startswith("ft:")), TRIPLES, min_size=1, max_size=4)
    )
    own = draw(st.dictionaries(IDS.map("ft:{}".format), TRIPLES, max_size=3))
    named = [base for base in bases if base]
    derived = draw(st.dictionaries(IDS.map("ft:{}".format), st.sampled_from(named), max_size=3)) if named else {}
    fine_tunes = {model: {"rate": triple} for model, triple in own.items()}
    for model, base in derived.items():
        fine_tunes.setdefault(model, {})["derived_from"] = base
    return {"version": "1", "base_models": bases, "fine_tune_premium": draw(PREMIUMS), "fine_tunes": fine_tunes}


def nanos(amount):
    """The reference rounding: half away from zero, to whole nano-dollars."""
    return int(amount * 10**9 + Fraction(1, 2))


def billable(intended, result):
    """Whether no rate of ``result`` is rounded to zero, unless it is zero in ``intended``, and each fits NUMERIC(20,9)."""
    return all(
        (nanos(after) or not before) and nanos(after) < 10**20 for before, after in zip(intended, result, strict=True)
    )


def reference(file):
    """The rates that the contract derives from a file: nano-dollars by model and by base; None if the file is refused."""
    premium, tunes = file["fine_tune_premium"], file["fine_tunes"].items()
    factor, markup = Fraction(premium.get("factor", 1)), Fraction(premium.get("markup", 0))
    exact = {model: [*map(Fraction, triple.values())] for model, triple in file["base_models"].items()}
    own = {model: [*map(Fraction, tune["rate"].values())] for model, tune in tunes if "rate" in tune}
    derived = {model: [rate * factor + markup for rate in triple] for model, triple in exact.items()}
    if not all(billable(rates, rates) for rates in [*exact.values(), *own.values()]):
        return None
    if not all(billable(exact[model], derived[model]) for model in exact):
        return None
    linked = {model: derived[tune["derived_from"]] for model, tune in tunes if "derived_from" in tune}
    by_base = {model: rates for model, rates in derived.items() if model}  # an empty base_model names none
    return tuple(
        {model: [*map(nanos, rates)] for model, rates in part.items()} for part in (linked | own | exact, by_base)
    )


@given(files())
def test_any_file_is_resolved_as_the_reference_does(file):
    expected = reference(file)
    root, problems = parse(as_yaml(file).encode())
    parsed, violations = validate(root)
    assert problems == []
    assert (violations == []) == (expected is not None)
    assume(expected is not None)
    book = resolve(parsed, "digest")
    for prices, exact in zip((book.priced, book.derived), expected, strict=True):
        read = rates(prices)
        assert list(read) == sorted(exact)
        assert {model: [nanos(Fraction(rate)) for rate in triple] for model, triple in read.items()} == exact
        assert all(len(rate.partition(".")[2]) == 9 for triple in read.values() for rate in triple)
