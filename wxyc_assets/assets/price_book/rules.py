"""The rules of a price file: each violation is reported with its line. Pure.

Source: contract/rated-usage.md, "Price file", whose numbers the functions cite. Rule 1 (readable) is in
resources/price_file.py, the syntax of rule 2 in resources/strict_yaml.py, rules 6 to 9 in rate_parsing.py, and rule 15 in
premium_parsing.py.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from resources.yaml_text import Entry, Node, Problem, Text, shown
from wxyc_assets.assets.price_book.book import FINE_TUNE_PREFIX
from wxyc_assets.assets.price_book.decimals import fits_numeric, quantise
from wxyc_assets.assets.price_book.fields import Problems, is_mapping, mapping_entries, read_fields, read_text
from wxyc_assets.assets.price_book.parsed_file import ParsedFile, RateTriple
from wxyc_assets.assets.price_book.premium_parsing import read_premium
from wxyc_assets.assets.price_book.rate_parsing import TOO_LARGE, read_decimal, read_rates
from wxyc_assets.runs.partitions import WindowError, utc_hour

VERSION = "1"
SECTIONS = ("version", "base_models", "fine_tune_premium", "gpu_floor_rates", "fine_tunes", "effective_from")


def validate(root: Node) -> tuple[ParsedFile, list[Problem]]:
    """Return the content of a document and its violations of rules 2 to 17; without violations the content is complete."""
    problems = Problems()
    sections = read_fields(root, SECTIONS, "the price file", problems)
    if not is_mapping(root):
        return ParsedFile(), problems.found
    _check_version(sections.get("version"), root.line, problems)
    bases = _base_models(sections.get("base_models"), root.line, problems)
    own, derived_from = _fine_tunes(sections.get("fine_tunes"), bases, problems)
    premium = read_premium(sections.get("fine_tune_premium"), problems)
    floors = _gpu_floors(sections.get("gpu_floor_rates"), problems)
    parsed = ParsedFile(
        bases, own, derived_from, premium, floors, _effective_from(sections.get("effective_from"), problems)
    )
    _check_derivations(parsed, problems)
    _check_derived_rates(parsed, problems)
    return parsed, problems.found


def _check_version(node: Node | None, line: int, problems: Problems) -> None:
    """Rule 3."""
    if node is None:
        problems.add(line, "version is missing: write version: 1")
    elif not isinstance(node, Text):
        read_text(node, "version", problems)
    elif node.text != VERSION:
        problems.add(node.line, f"version {shown(node.text)} is not known: it must be 1")


def _effective_from(node: Node | None, problems: Problems) -> datetime | None:
    """Return the first hour of the prices. The predecessor's files have no such key."""
    text = read_text(node, "effective_from", problems)
    if text is None:
        return None
    try:
        return utc_hour("effective_from", text.text)
    except WindowError as error:
        problems.add(text.line, str(error))
        return None


def _base_models(node: Node | None, line: int, problems: Problems) -> dict[str, RateTriple]:
    """Rules 4 and 5."""
    listed = mapping_entries(node, "base_models", problems)
    if not listed and is_mapping(node):
        problems.add(node.line if node else line, "base_models names no model, so nothing could be priced")
    bases = {}
    for entry in listed:
        where = f"base model {shown(entry.key.text)}"
        if entry.key.text.startswith(FINE_TUNE_PREFIX):
            problems.add(entry.key.line, f"{where} starts with ft:, which only fine-tunes may")
        bases[entry.key.text] = read_rates(entry.value, entry.key.line, where, problems)
    return bases


def _fine_tunes(
    node: Node | None, bases: Mapping[str, RateTriple], problems: Problems
) -> tuple[dict[str, RateTriple], dict[str, Text]]:
    """Rules 10 to 12. Returns the own rates and the named bases, by fine-tune."""
    own: dict[str, RateTriple] = {}
    derived_from: dict[str, Text] = {}
    for entry in mapping_entries(node, "fine_tunes", problems):
        model, where = entry.key.text, _fine_tune(entry.key.text)
        if model in bases:
            problems.add(entry.key.line, f"{where} is in base_models as well: a model has one price")
        found = read_fields(entry.value, ("derived_from", "rate"), where, problems)
        base = read_text(found.get("derived_from"), f"{where}: derived_from", problems)
        if base:
            derived_from[model] = base
        if "rate" in found:
            own[model] = read_rates(found["rate"], entry.key.line, f"{where}: rate", problems)
        elif not base and not _is_reported(entry, found):
            problems.add(entry.key.line, f"{where} has neither derived_from nor rate, so it could not be priced")
    return own, derived_from


def _fine_tune(model: str) -> str:
    return f"fine-tune {shown(model)}"


def _is_reported(entry: Entry, found: Mapping[str, Node]) -> bool:
    """Return whether the reason that a fine-tune has no price is already reported."""
    return not is_mapping(entry.value) or not isinstance(found.get("derived_from", entry.key), Text)


def _check_derivations(parsed: ParsedFile, problems: Problems) -> None:
    """Rules 13 and 14."""
    priced = {*parsed.bases, *parsed.own, *parsed.derived_from}
    for model, base in parsed.derived_from.items():
        where = f"{_fine_tune(model)}: derived_from {shown(base.text)}"
        if base.text not in priced:
            problems.add(base.line, f"{where} is not priced in this file")
        elif not parsed.is_true_base(base.text):
            problems.add(base.line, f"{where} is a fine-tune itself; name the base model that both were made from")


def _check_derived_rates(parsed: ParsedFile, problems: Problems) -> None:
    """Rule 16, and the rule that derived rates fit NUMERIC(20,9): for every true base, even if the file names no fine-tune."""
    if parsed.premium is None:
        return
    for model, rates in parsed.true_bases():
        for component, amount in rates.items():
            where = f"model {shown(model)}: {component} with the fine_tune_premium"
            derived = parsed.premium.apply_to(amount.value)
            if not fits_numeric(derived):
                problems.add(amount.line, f"{where} {TOO_LARGE}")
            elif amount.value and not quantise(derived):
                problems.add(
                    amount.line, f"{where} rounds to $0 at nine decimals, so its fine-tunes would bill as free"
                )


def _gpu_floors(node: Node | None, problems: Problems) -> dict[str, Decimal]:
    """Rule 17."""
    floors = {}
    for entry in mapping_entries(node, "gpu_floor_rates", problems):
        where = f"floor rate of GPU {shown(entry.key.text)}:"
        text = read_text(entry.value, where, problems)
        if text is None and isinstance(entry.value, Text):
            problems.add(entry.value.line, f"{where} is missing")
        floor = read_decimal(text, where, problems) if text else None
        if floor is not None:
            floors[entry.key.text] = floor
    return floors
