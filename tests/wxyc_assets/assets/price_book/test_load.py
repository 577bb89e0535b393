"""A file becomes a price book, or an error with all of its problems."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.price_file import PriceFileError
from tests.wxyc_assets.assets.price_book.example_files import VALID, changed
from wxyc_assets.assets.price_book.load import load_price_book

SANDBOX = Path(__file__).parents[4] / "wxyc_assets/sandbox/catalogue/prices.yaml"


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("prices") / "prices.yaml"


def problems_of(path, text):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PriceFileError) as refused:
        load_price_book(path)
    return refused.value.problems


def test_a_valid_file_is_loaded_with_the_digest_of_its_bytes(path):
    path.write_text(VALID)
    book = load_price_book(path)
    assert (book.version, book.digest) == (1, hashlib.sha256(VALID.encode()).hexdigest())
    assert len(book.priced) == 6


def test_the_sandbox_ships_a_file_that_breaks_no_rule():
    assert {price.model for price in load_price_book(SANDBOX).priced} >= {"qwen2.5-7b-instruct", "bge-m3"}


def test_a_missing_file_is_refused_and_never_means_price_zero(tmp_path):
    with pytest.raises(PriceFileError, match="PRICE_FILE is not set"):
        load_price_book(None)
    with pytest.raises(PriceFileError, match=r"none\.yaml cannot be used"):
        load_price_book(tmp_path / "none.yaml")


def test_the_error_has_the_digest_of_the_refused_file(path):
    """The digest tells one refused version of the file from the next."""
    path.write_text("version: 2")
    with pytest.raises(PriceFileError) as refused:
        load_price_book(path)
    assert refused.value.digest == hashlib.sha256(b"version: 2").hexdigest()


def test_yaml_and_rule_problems_are_reported_in_line_order(path):
    text = changed("version: 1", "version: 3", changed("  l4:", "  l4: !x", changed("0.00001\n", "1e-5\n")))
    text = changed("derived_from: base\n", "derived_from: unpriced\n", text) + "---\n"
    assert [problem.split(":")[0] for problem in problems_of(path, text)] == [
        f"line {line}" for line in (1, 6, 12, 16, 22)
    ]


GOOD = 'prompt: "1", cached: "0", completion: "0.5"'
FAULTS = {
    "fine": (f"{{{GOOD}}}", []),
    "exponent": (f"{{{GOOD.replace('0.5', '5e-1')}}}", ["is not a plain decimal"]),
    "negative": (f"{{{GOOD.replace('0.5', '-0.5')}}}", ["is negative"]),
    "vanishing": (f"{{{GOOD.replace('0.5', '0.0000000001')}}}", ["rounds to $0"]),
    "vast": (f"{{{GOOD.replace('0.5', '9' * 12)}}}", ["is too large"]),
    "missing": ('{prompt: "1", cached: "0"}', ["completion is missing"]),
    "misspelt": (f"{{{GOOD}, complete: 1}}", ["did you mean completion?"]),
    "repeated": (f'{{{GOOD}, cached: "0"}}', ["key 'cached' is given twice"]),
    "tagged": (f"{{{GOOD.replace('prompt: ', 'prompt: !!str ')}}}", ["tags are not allowed"]),
    "aliased": ("*good", []),
    "dangling": ("*bad", ["alias 'bad' stands for nothing"]),
    "merged": (f"{{<<: *good, {GOOD}}}", ["merging is not allowed"]),
    "listed": ("[1, 2, 3]", ["must be a mapping, not a list"]),
    "two": (f"{{{GOOD.replace('0.5', '-1').replace('1', 'x', 1)}}}", ["is not a plain decimal", "is negative"]),
}


@given(st.lists(st.sampled_from(sorted(FAULTS)), max_size=12), st.integers(0, 3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_fault_is_reported_on_its_line_and_no_other(path, faults, comments):
    lines = ["# prices"] * comments + ["version: 1", "base_models:", f"  good: &good {{{GOOD}}}"]
    expected = []
    for number, fault in enumerate(faults):
        written, says = FAULTS[fault]
        lines.append(f"  model-{number}: {written}")
        expected += [(len(lines), part) for part in says]
    path.write_text("\n".join(lines))
    if not expected:
        assert len(load_price_book(path).priced) == len(faults) + 1
        return
    problems = problems_of(path, "\n".join(lines))
    assert len(problems) == len(expected)
    for problem, (line, part) in zip(problems, expected, strict=True):
        assert problem.startswith(f"line {line}: ")
        assert part in problem


PIECES = [
    *VALID.splitlines(keepends=True),
    *["  ft:x:\n", "    rate: ", "{", "}", "- ", "*a", "&a ", "!!", "? ", "\t", "'", '"', "1e9", "\r\n", "---\n", "<<: ", "~"],
    *["base", "\0", "\ufeff", "# ", "|\n", "policy: markup\n", "9" * 5000],
]  # fmt: skip
FILES = st.lists(st.sampled_from(PIECES), max_size=25).map(lambda pieces: "".join(pieces).encode())


@given(st.one_of(FILES, st.binary(max_size=80)))
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_make_a_price_book_or_a_price_file_error(path, data):
    path.write_bytes(data)
    digest: str | None
    try:
        digest = load_price_book(path).digest
    except PriceFileError as error:
        digest = error.digest if error.problems else None
    assert digest == hashlib.sha256(data).hexdigest()
