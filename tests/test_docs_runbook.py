"""The runbook has one section per check and alert, under its exact name, and says of each what it means and what to do."""

import re
from datetime import timedelta
from typing import get_args

import pytest

from tests.documents import OPERATIONS, PACKAGES, code, sources
from wxyc_assets.assets.registry import ASSETS, Freshness
from wxyc_assets.definitions import defs
from wxyc_assets.monitoring.alerts.rules import Kind
from wxyc_assets.monitoring.alerts.story import ADVICE, FAILED_RUNS
from wxyc_assets.monitoring.lml_outage.rules import REASONS
from wxyc_assets.runs.runbook import SECTION_OF_KIND, alert_section

SECTIONS = dict(re.findall(r"^### `(\w+)`\n\n(.*?)(?=^##|\Z)", OPERATIONS.text, re.MULTILINE | re.DOTALL))

SPECS = {
    (spec.asset_key.to_user_string(), spec.name): spec
    for key in defs.resolve_asset_graph().asset_check_keys
    for spec in [defs.resolve_asset_graph().get_check_spec(key)]
}
CHECKS = {name for _, name in SPECS}

ALERTS_OF_KIND: dict[str, set[str]] = {
    "check": CHECKS,
    "unevaluated": {"check_not_evaluated"},
    "run": {"failed_run"},
    "late": {"billing_unreachable", "freshness", "trailing_hours_rated"},
    "stale": {"stale_shards"},
    "cause": {"lml_down"},
    "unreadable": {"unreadable_run"},
}
"""The sections that explain the alerts of each kind."""

ONLY_IN_SENTRY = {"database_unreachable"}


def test_every_check_and_alert_has_a_section_and_no_other():
    assert SECTIONS.keys() == set().union(ONLY_IN_SENTRY, *ALERTS_OF_KIND.values())


def test_every_alert_has_a_likely_cause_and_a_next_command():
    assert ADVICE.keys() == set().union(
        *(ALERTS_OF_KIND[kind] for kind in ALERTS_OF_KIND.keys() - SECTION_OF_KIND.keys())
    )


def test_the_words_of_a_failed_run_are_those_of_the_code():
    text = sources(*PACKAGES)
    assert [words for words in (*REASONS, *(words for words, _ in FAILED_RUNS)) if text.count(words) < 2] == []


def test_every_kind_of_alert_has_a_section():
    assert ALERTS_OF_KIND.keys() == set(get_args(Kind))


@pytest.mark.parametrize("kind", ALERTS_OF_KIND)
def test_the_anchor_of_an_alert_is_that_of_its_section(kind):
    """Where the kind has a section of its own, the source can be any step or check."""
    for name in ALERTS_OF_KIND[kind]:
        source = "unpriced_zero" if kind in SECTION_OF_KIND else name
        assert alert_section(kind, source) == f"{OPERATIONS.name}#{name}"


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_says_what_it_means_what_to_check_and_do(name):
    assert re.findall(r"^- \*\*(\w+)\.\*\*", SECTIONS[name], re.MULTILINE) == ["Meaning", "Check", "Do"]


def test_the_table_lists_the_checks_of_all_assets():
    """With their assets, marked where the check is blocking, and a link to the section."""
    everywhere = {asset for asset, _ in SPECS}
    listed = set()
    for link, assets, _ in OPERATIONS.table("check", "assets", "severity"):
        (name,) = code(link)
        assert link == f"[`{name}`](#{name})"
        named = everywhere if assets == "all" else set(assets.replace(" (blocking)", "").split(", "))
        blocking = set(re.findall(r"(\w+) \(blocking\)", assets))
        listed |= {(asset, name, asset in blocking) for asset in named}
    assert listed == {(asset, name, spec.blocking) for (asset, name), spec in SPECS.items()}


def test_the_reasons_of_failed_runs_are_those_of_the_code():
    """A reason is quoted without the names and numbers in it."""
    text = sources(*PACKAGES)
    quoted = [
        words
        for reason, _, _ in OPERATIONS.table("reason", "meaning", "what to do")
        for words in re.findall(r'"([^"]+)"', reason)
    ]
    assert len(quoted) >= 4
    assert [words for words in quoted if words not in text] == []


def test_the_table_of_lateness_is_what_the_registry_has():
    def hours(cell: str) -> timedelta:
        number, unit = cell.split()
        return timedelta(**{unit: int(number)})

    rows = OPERATIONS.table("asset", "late after", "error after", "counted from")
    listed = {code(asset)[0]: Freshness(hours(late), hours(error)) for asset, late, error, _ in rows}
    assert listed == {info.name: info.freshness for info in ASSETS}


def test_the_checks_that_are_evaluated_alone_are_named():
    stored = {name for (_, name), spec in SPECS.items() if "evaluates the present state" in str(spec.description)}
    (named,) = re.findall(r"changes no row\. (.*?) are evaluated on the present state", OPERATIONS.text, re.DOTALL)
    assert set(re.findall(r"`(\w+)`", named)) == stored
