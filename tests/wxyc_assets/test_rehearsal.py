"""A dry run can be read in the UI: an observation has all of its numbers, and credits nothing."""

import dagster as dg

from wxyc_assets.operator import RunSummary
from wxyc_assets.rated_usage.money import Usd
from wxyc_assets.rehearsal import rehearsed


def numbers(event):
    return {name: value.value for name, value in event.metadata.items()}


def summary(totals, report=None):
    return RunSummary(["0", "1"], totals, "done", dry_run=True, dry_run_report=report)


def test_it_shows_the_report_of_the_dry_run_where_there_is_one():
    event = rehearsed("albums", summary({"scanned": 3}, {"would_ask": 2, "budget_ours_s": 1.5, "done_at": None}))
    assert (event.asset_key, event.partition) == (dg.AssetKey("albums"), None)
    assert event.description == "dry run: nothing was written"
    assert numbers(event) == {"partitions": 2, "would_ask": 2, "budget_ours_s": 1.5, "done_at": None}


def test_totals_stand_in_for_it_and_counters_within_counters_have_both_names():
    event = rehearsed("albums", summary({"scanned": 3, "skipped": {"of_lml": {"error": 1}}}))
    assert numbers(event) == {"partitions": 2, "scanned": 3, "skipped.of_lml.error": 1}


def test_money_is_exact_text_and_what_is_shown_first_comes_first():
    event = rehearsed("bills", summary({"cost": Usd(1)}), shown={"plan": dg.MetadataValue.md("| hour |")})
    assert list(numbers(event).items()) == [("plan", "| hour |"), ("partitions", 2), ("cost", "0.000000001")]
