"""Reads the premium of a price file. Pure.

Source: contract/rated-usage.md, price file rule 15.
"""

from resources.yaml_text import Node, Text, shown
from wxyc_assets.price_book.amounts import read_decimal
from wxyc_assets.price_book.fields import Notes, known_fields, text_of
from wxyc_assets.price_book.premium import Policy, Premium

PARAMETER_OF: dict[Policy, str] = {"multiplier": "factor", "markup": "markup"}
"""The one parameter that a policy takes; identity takes none."""

POLICIES: tuple[Policy, ...] = ("identity", *PARAMETER_OF)
WHERE = "fine_tune_premium"


def read_premium(node: Node | None, notes: Notes) -> Premium | None:
    """Read ``fine_tune_premium``; none, or one whose policy is empty, means identity. None if its policy or amount is noted."""
    found = known_fields(node, ("policy", *PARAMETER_OF.values()), WHERE, notes)
    given = {name: value for name, value in found.items() if not (isinstance(value, Text) and not value.text)}
    policy = _policy(given.pop("policy", None), notes)
    if policy is None:
        return None
    parameter = PARAMETER_OF.get(policy)
    for name, value in given.items():
        if name != parameter:
            notes.add(value.line, f"{WHERE}: {name} has no meaning under policy {policy}; remove it")
    if parameter is None:
        return Premium()
    if parameter not in given:
        notes.add(found["policy"].line, f"{WHERE}: policy {policy} needs {parameter}")
        return None
    text = text_of(given[parameter], f"{WHERE}: {parameter}", notes)
    amount = read_decimal(text, f"{WHERE}: {parameter}", notes) if text else None
    return None if amount is None else Premium(policy, amount)


def _policy(node: Node | None, notes: Notes) -> Policy | None:
    if node is None:
        return "identity"
    text = text_of(node, f"{WHERE}: policy", notes)
    if text is None:
        return None
    for policy in POLICIES:
        if text.text == policy:
            return policy
    notes.add(text.line, f"{WHERE}: policy {shown(text.text)} is not known: it is one of {', '.join(POLICIES)}")
    return None
