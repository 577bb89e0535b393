"""Parses the premium of a price file. Pure.

Source: contract/rated-usage.md, price file rule 15.
"""

from resources.yaml_text import Node, Text, shown
from wxyc_assets.assets.price_book.fields import Problems, read_fields, read_text
from wxyc_assets.assets.price_book.premium import Policy, Premium
from wxyc_assets.assets.price_book.rate_parsing import read_decimal

POLICY_PARAMETER: dict[Policy, str] = {"multiplier": "factor", "markup": "markup"}
"""The only parameter of each policy; identity has none."""

POLICIES: tuple[Policy, ...] = ("identity", *POLICY_PARAMETER)
SECTION = "fine_tune_premium"


def read_premium(node: Node | None, problems: Problems) -> Premium | None:
    """Read ``fine_tune_premium``: if it or its policy is missing or empty, the policy is identity.

    Returns None if a problem of its policy or amount is reported.
    """
    found = read_fields(node, ("policy", *POLICY_PARAMETER.values()), SECTION, problems)
    given = {name: value for name, value in found.items() if not (isinstance(value, Text) and not value.text)}
    policy = _policy(given.pop("policy", None), problems)
    if policy is None:
        return None
    parameter = POLICY_PARAMETER.get(policy)
    for name, value in given.items():
        if name != parameter:
            problems.add(value.line, f"{SECTION}: {name} has no meaning under policy {policy}; remove it")
    if parameter is None:
        return Premium()
    if parameter not in given:
        problems.add(found["policy"].line, f"{SECTION}: policy {policy} needs {parameter}")
        return None
    text = read_text(given[parameter], f"{SECTION}: {parameter}", problems)
    amount = read_decimal(text, f"{SECTION}: {parameter}", problems) if text else None
    return None if amount is None else Premium(policy, amount)


def _policy(node: Node | None, problems: Problems) -> Policy | None:
    if node is None:
        return "identity"
    text = read_text(node, f"{SECTION}: policy", problems)
    if text is None:
        return None
    for policy in POLICIES:
        if text.text == policy:
            return policy
    problems.add(text.line, f"{SECTION}: policy {shown(text.text)} is not known: it is one of {', '.join(POLICIES)}")
    return None
