from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.assets.rated_usage.money import Usd

amounts = st.integers(-(10**35), 10**35)


@pytest.mark.parametrize(
    ("text", "printed"),
    [("0", "0.000000000"), ("0.000000001", "0.000000001"), ("-0.5", "-0.500000000"), ("12345678901.123456789",) * 2],
)
def test_text_of_postgres_is_parsed_and_printed_with_9_decimals(text, printed):
    assert str(Usd.parse(text)) == printed


@pytest.mark.parametrize("text", ["", "1e-9", "0.0000000001", "NaN", "Infinity", ".5", "1.", " 1", "+1", "٣"])
def test_a_text_that_is_no_amount_of_nano_dollars_is_refused(text):
    with pytest.raises(ValueError, match="nano-dollars"):
        Usd.parse(text)


@given(st.lists(amounts))
def test_sums_lose_no_digit(nanos):
    with localcontext(prec=100):
        exact = sum((Decimal(nano).scaleb(-9) for nano in nanos), Decimal(0))
    assert str(sum(map(Usd, nanos), start=Usd())) == f"{exact:.9f}".replace("-0.000000000", "0.000000000")


@given(amounts, amounts)
def test_subtraction_undoes_addition_and_adding_0_is_allowed(one, other):
    assert Usd(one) + Usd(other) - Usd(other) == Usd(one) == Usd.parse(str(Usd(one)))
    assert 0 + Usd(one) == Usd(one) + 0 == Usd(one)


def test_a_float_is_not_money():
    with pytest.raises(TypeError):
        Usd(1) + 0.1
