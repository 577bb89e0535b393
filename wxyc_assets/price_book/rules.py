"""What a price file must be: every rule of the contract, every violation noted with its line. Pure.

Source: contract/rated-usage.md, "Price file", by whose numbers the functions name their rules. Rule 1, readable, is
resources/price_file.py; the syntax of rule 2 is resources/strict_yaml.py; rules 6 to 9 are amounts.py, rule 15 premium_rule.py.
"""

from collections.abc import Mapping
from decimal import Decimal

from resources.yaml_text import Entry, Node, Problem, Text, shown
from wxyc_assets.price_book.amounts import TOO_LARGE, read_decimal, read_triple
from wxyc_assets.price_book.book import FINE_TUNE_PREFIX
from wxyc_assets.price_book.decimals import fits, quantise
from wxyc_assets.price_book.declared import Declared, Triple
from wxyc_assets.price_book.fields import Notes, entries, is_mapping, known_fields, text_of
from wxyc_assets.price_book.premium_rule import read_premium

VERSION = "1"
SECTIONS = ("version", "base_models", "fine_tune_premium", "gpu_floor_rates", "fine_tunes")


def check(root: Node) -> tuple[Declared, list[Problem]]:
    """Return what a document declares, and all that rules 2 to 17 have against it; it is complete if that is nothing."""
    notes = Notes()
    sections = known_fields(root, SECTIONS, "the price file", notes)
    if not is_mapping(root):
        return Declared(), notes.problems
    _check_version(sections.get("version"), root.line, notes)
    bases = _base_models(sections.get("base_models"), root.line, notes)
    own, derived_from = _fine_tunes(sections.get("fine_tunes"), bases, notes)
    premium = read_premium(sections.get("fine_tune_premium"), notes)
    declared = Declared(bases, own, derived_from, premium, _gpu_floors(sections.get("gpu_floor_rates"), notes))
    _check_derivations(declared, notes)
    _check_derived_rates(declared, notes)
    return declared, notes.problems


def _check_version(node: Node | None, line: int, notes: Notes) -> None:
    """Rule 3."""
    if node is None:
        notes.add(line, "version is missing: write version: 1")
    elif not isinstance(node, Text):
        text_of(node, "version", notes)
    elif node.text != VERSION:
        notes.add(node.line, f"version {shown(node.text)} is not known: it must be 1")


def _base_models(node: Node | None, line: int, notes: Notes) -> dict[str, Triple]:
    """Rules 4 and 5."""
    listed = entries(node, "base_models", notes)
    if not listed and is_mapping(node):
        notes.add(node.line if node else line, "base_models names no model, so that nothing could be priced")
    bases = {}
    for entry in listed:
        where = f"base model {shown(entry.key.text)}"
        if entry.key.text.startswith(FINE_TUNE_PREFIX):
            notes.add(entry.key.line, f"{where} starts with ft:, which only fine-tunes may")
        bases[entry.key.text] = read_triple(entry.value, entry.key.line, where, notes)
    return bases


def _fine_tunes(
    node: Node | None, bases: Mapping[str, Triple], notes: Notes
) -> tuple[dict[str, Triple], dict[str, Text]]:
    """Rules 10 to 12. Returns the own rates and the bases that are named, by fine-tune."""
    own: dict[str, Triple] = {}
    derived_from: dict[str, Text] = {}
    for entry in entries(node, "fine_tunes", notes):
        model, where = entry.key.text, _fine_tune(entry.key.text)
        if model in bases:
            notes.add(entry.key.line, f"{where} is in base_models as well: a model has one price")
        found = known_fields(entry.value, ("derived_from", "rate"), where, notes)
        base = text_of(found.get("derived_from"), f"{where}: derived_from", notes)
        if base:
            derived_from[model] = base
        if "rate" in found:
            own[model] = read_triple(found["rate"], entry.key.line, f"{where}: rate", notes)
        elif not base and not _is_noted(entry, found):
            notes.add(entry.key.line, f"{where} has neither derived_from nor rate, so that it could not be priced")
    return own, derived_from


def _fine_tune(model: str) -> str:
    return f"fine-tune {shown(model)}"


def _is_noted(entry: Entry, found: Mapping[str, Node]) -> bool:
    """Tell whether a fine-tune lacks its price because of something that is noted already."""
    return not is_mapping(entry.value) or not isinstance(found.get("derived_from", entry.key), Text)


def _check_derivations(declared: Declared, notes: Notes) -> None:
    """Rules 13 and 14."""
    priced = {*declared.bases, *declared.own, *declared.derived_from}
    for model, base in declared.derived_from.items():
        where = f"{_fine_tune(model)}: derived_from {shown(base.text)}"
        if base.text not in priced:
            notes.add(base.line, f"{where} is not priced in this file")
        elif not declared.is_true_base(base.text):
            notes.add(base.line, f"{where} is a fine-tune itself; name the base model that both were made from")


def _check_derived_rates(declared: Declared, notes: Notes) -> None:
    """Rule 16, and that what fine-tunes cost can be stored: of every true base, whether the file names fine-tunes or not."""
    if declared.premium is None:
        return
    for model, rates in declared.true_bases():
        for component, amount in rates.items():
            where = f"model {shown(model)}: {component} with the fine_tune_premium"
            derived = declared.premium.on(amount.value)
            if not fits(derived):
                notes.add(amount.line, f"{where} {TOO_LARGE}")
            elif amount.value and not quantise(derived):
                notes.add(amount.line, f"{where} rounds to $0 at nine decimals, so its fine-tunes would bill as free")


def _gpu_floors(node: Node | None, notes: Notes) -> dict[str, Decimal]:
    """Rule 17."""
    floors = {}
    for entry in entries(node, "gpu_floor_rates", notes):
        where = f"floor rate of GPU {shown(entry.key.text)}:"
        text = text_of(entry.value, where, notes)
        if text is None and isinstance(entry.value, Text):
            notes.add(entry.value.line, f"{where} is missing")
        floor = read_decimal(text, where, notes) if text else None
        if floor is not None:
            floors[entry.key.text] = floor
    return floors
