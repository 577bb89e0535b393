"""Money without a float: exact digits, one rounding, half away from zero."""

import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.assets.price_book.decimals import DecimalError, add, fits_numeric, multiply, parse_decimal, quantise

LONG = st.from_regex(r"[0-9]{1,30}(\.[0-9]{1,60})?", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", "0"), ("+1", "1"), ("-0", "0"), ("-0.000", "0"), ("007", "7"), ("0.000000150", "0.000000150")],
)
def test_a_plain_decimal_is_read_with_every_digit(text, value):
    assert parse_decimal(text) == Decimal(value)
    assert not parse_decimal(text).is_signed()


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", "1e-7", "1E5", ".5", "5.", "1.2.3", "1_000", "$3", "0x1", "abc", "NaN", "Infinity", "-Infinity", "sNaN"],
        *[" 1", "1 ", "1\n", "1,5", "--1", "+-1", "+", "1/2", "\N{ARABIC-INDIC DIGIT THREE}", "\N{FULLWIDTH DIGIT ONE}"],
        *["1.\N{DEVANAGARI DIGIT TWO}", "\N{MINUS SIGN}1", "true", "~", "1:30"],
    ],
)  # fmt: skip
def test_a_text_that_is_no_plain_decimal_is_refused(text):
    with pytest.raises(DecimalError, match="plain decimal"):
        parse_decimal(text)


def test_a_negative_amount_is_refused():
    with pytest.raises(DecimalError, match="never pays the customer"):
        parse_decimal("-0.000000001")


@pytest.mark.parametrize(
    ("exact", "billed"),
    [
        ("0.0000000005", "0.000000001"),
        ("0.0000000004", "0.000000000"),
        ("0.00000000049999999999999999999999999999999999999999999999999999", "0.000000000"),
        ("0.0000000025", "0.000000003"),  # half to even would give 2
        ("1.2345678905", "1.234567891"),
        ("99999999999.9999999994", "99999999999.999999999"),
    ],
)
def test_a_rate_is_rounded_to_a_nano_dollar_half_away_from_zero(exact, billed):
    assert f"{quantise(parse_decimal(exact)):f}" == billed


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("99999999999.9999999994", True),
        ("99999999999.9999999995", False),
        ("1" + "0" * 11, False),
        ("9" * 50_000, False),
    ],
)
def test_a_value_too_large_for_numeric_20_9_does_not_fit(value, stored):
    assert fits_numeric(parse_decimal(value)) is stored


@given(LONG, LONG)
def test_no_digit_is_lost_in_any_decimal_context_of_the_thread(one, other):
    with decimal.localcontext(decimal.Context(prec=3, rounding=decimal.ROUND_DOWN)):
        left, right = parse_decimal(one), parse_decimal(other)
        assert Fraction(multiply(left, right)) == Fraction(one) * Fraction(other)
        assert Fraction(add(left, right)) == Fraction(one) + Fraction(other)
        nanos = Fraction(one) * 10**9
        assert Fraction(quantise(left)) * 10**9 == int(nanos + Fraction(1, 2))


def test_amounts_as_long_as_a_file_allows_are_exact():
    tiny, huge = parse_decimal("0." + "0" * 400_000 + "1"), parse_decimal("9" * 400_000)
    assert len(multiply(tiny, huge).as_tuple().digits) == 400_000
    assert len(add(tiny, huge).as_tuple().digits) == 800_001
