"""Reads the amounts of a price file: a model's three rates, a floor, a premium's parameter. Pure.

Source: contract/rated-usage.md, price file rules 6 to 9 and 17.
"""

from decimal import Decimal

from resources.yaml_text import Node, Text, shown
from wxyc_assets.price_book.book import COMPONENTS
from wxyc_assets.price_book.decimals import DecimalError, fits, parse_decimal, quantise
from wxyc_assets.price_book.declared import Amount, Triple
from wxyc_assets.price_book.fields import Notes, is_mapping, known_fields, text_of

TOO_LARGE = "is too large: a billed rate must be below 100000000000"
"""Ours: such a rate loads at the predecessor, and fails each run once it is to be stored as NUMERIC(20,9)."""


def read_triple(node: Node, line: int, where: str, notes: Notes) -> Triple:
    """Read all three rates of a model, whose key is on ``line``. Rules 6 to 9."""
    found = known_fields(node, COMPONENTS, where, notes)
    if not is_mapping(node):
        return {}  # noted already
    rates: dict[str, Amount] = {}
    for component in COMPONENTS:
        value, name = found.get(component), f"{where}: {component}"
        if value is None or (isinstance(value, Text) and not value.text):
            notes.add(value.line if value else line, f'{name} is missing; write "0" if it is free')
            continue
        text = text_of(value, name, notes)
        amount = _read_rate(text, name, notes) if text else None
        if amount:
            rates[component] = amount
    return rates


def read_decimal(text: Text, where: str, notes: Notes) -> Decimal | None:
    """Read an amount that is plain and not negative. Rules 7 and 8."""
    try:
        return parse_decimal(text.text)
    except DecimalError as error:
        notes.add(text.line, f"{where} {shown(text.text)} {error}")
        return None


def _read_rate(text: Text, where: str, notes: Notes) -> Amount | None:
    """Rules 7 to 9, and that it can be stored."""
    value = read_decimal(text, where, notes)
    if value is None:
        return None
    if not fits(value):
        notes.add(text.line, f"{where} {shown(text.text)} {TOO_LARGE}")
        return None
    if value and not quantise(value):
        notes.add(
            text.line,
            f"{where} {shown(text.text)} is not zero but rounds to $0 at nine decimals, so it would bill as free; "
            'write "0" if that is meant',
        )
        return None
    return Amount(value, text.line)
