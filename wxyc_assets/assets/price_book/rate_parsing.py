"""Parses the amounts of a price file: a model's three rates, a floor rate, and a premium's parameter. Pure.

Source: contract/rated-usage.md, price file rules 6 to 9 and 17.
"""

from decimal import Decimal

from resources.yaml_text import Node, Text, shown
from wxyc_assets.assets.price_book.book import COMPONENTS
from wxyc_assets.assets.price_book.decimals import DecimalError, fits_numeric, parse_decimal, quantise
from wxyc_assets.assets.price_book.fields import Problems, is_mapping, read_fields, read_text
from wxyc_assets.assets.price_book.parsed_file import Amount, RateTriple

TOO_LARGE = "is too large: a billed rate must be below 100000000000"
"""This rule is our own: the predecessor loads such a rate, and then every run fails when it stores it as NUMERIC(20,9)."""


def read_rates(node: Node, line: int, where: str, problems: Problems) -> RateTriple:
    """Read the three rates of a model, whose key is on ``line``. Rules 6 to 9."""
    found = read_fields(node, COMPONENTS, where, problems)
    if not is_mapping(node):
        return {}  # reported already
    rates: dict[str, Amount] = {}
    for component in COMPONENTS:
        value, name = found.get(component), f"{where}: {component}"
        if value is None or (isinstance(value, Text) and not value.text):
            problems.add(value.line if value else line, f'{name} is missing; write "0" if it is free')
            continue
        text = read_text(value, name, problems)
        amount = _read_rate(text, name, problems) if text else None
        if amount:
            rates[component] = amount
    return rates


def read_decimal(text: Text, where: str, problems: Problems) -> Decimal | None:
    """Read an amount that is a plain decimal and not negative; None if it is neither. Rules 7 and 8."""
    try:
        return parse_decimal(text.text)
    except DecimalError as error:
        problems.add(text.line, f"{where} {shown(text.text)} {error}")
        return None


def _read_rate(text: Text, where: str, problems: Problems) -> Amount | None:
    """Rules 7 to 9, and the rule that the rate fits NUMERIC(20,9)."""
    value = read_decimal(text, where, problems)
    if value is None:
        return None
    if not fits_numeric(value):
        problems.add(text.line, f"{where} {shown(text.text)} {TOO_LARGE}")
        return None
    if value and not quantise(value):
        problems.add(
            text.line,
            f"{where} {shown(text.text)} is not zero but rounds to $0 at nine decimals, so it would bill as free; "
            'write "0" if that is meant',
        )
        return None
    return Amount(value, text.line)
