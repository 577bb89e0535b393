"""A credit has every counter as a number, and a table of what happened and of nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass

import dagster as dg

from tests.materializer import logged_evaluations
from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.monitoring.alerts.rules import BLOCKING_CHECK_FAILED
from wxyc_assets.orchestration.events import credit, dry_run_event, publish
from wxyc_assets.runs.counts import OutcomeTable
from wxyc_assets.runs.findings import Check, Finding
from wxyc_assets.runs.outcome import RunOutcome, ShardRequest
from wxyc_assets.runs.run_console import RunConsole

TABLE = OutcomeTable("records", {"kept": "on the shelf", "lost": "missing", "sold": "gone"}, "none came")


def test_the_table_has_what_happened_in_its_own_order():
    assert TABLE.markdown({"scanned": 5, "sold": 2, "lost": 0, "kept": 3}).splitlines() == [
        "| records | outcome |",
        "|---:|---|",
        "| 3 | on the shelf |",
        "| 2 | gone |",
    ]


def test_a_partition_without_any_input_says_so():
    nothing = {"kept": 0, "lost": 0, "sold": 0}
    assert TABLE.markdown(nothing).splitlines()[2:] == ["| 0 | none came |"]


def test_a_partition_is_credited_by_its_key_with_every_counter():
    counts = {"scanned": 3, "kept": 3, "lost": 0, "sold": 0}
    event = credit("records", 11, counts, TABLE)
    assert (event.asset_key, event.partition) == (dg.AssetKey("records"), "11")
    metadata = {name: value.value for name, value in event.metadata.items()}
    assert metadata.pop("outcome") == TABLE.markdown(counts)
    assert metadata == counts


def numbers(event):
    return {name: value.value for name, value in event.metadata.items()}


def test_dry_run_event_shows_the_numbers_and_credits_nothing():
    event = dry_run_event("albums", ["0", "1"], {"would_ask": 2, "budget_ours_s": 1.5, "done_at": None})
    assert (event.asset_key, event.partition) == (dg.AssetKey("albums"), None)
    assert event.description == "dry run: nothing was written"
    assert numbers(event) == {"partitions": 2, "would_ask": 2, "budget_ours_s": 1.5, "done_at": None}


def test_nested_numbers_have_both_names():
    event = dry_run_event("albums", ["0", "1"], {"scanned": 3, "skipped": {"of_lml": {"error": 1}}})
    assert numbers(event) == {"partitions": 2, "scanned": 3, "skipped.of_lml.error": 1}


def test_money_is_exact_text_and_shown_metadata_comes_first():
    event = dry_run_event("bills", ["0", "1"], {"cost": Usd(1)}, shown={"plan": dg.MetadataValue.md("| hour |")})
    assert list(numbers(event).items()) == [("plan", "| hour |"), ("partitions", 2), ("cost", "0.000000001")]


REQUEST = ShardRequest("a run", "explicit", [0, 1])


@dataclass
class Report(RunOutcome[int]):
    """A report over two partitions."""

    request: ShardRequest = REQUEST
    failed: str = ""

    @property
    def totals(self):
        return {"scanned": 3}

    @property
    def broken(self):
        return {1: self.failed} if self.failed else {}


CHECKS = [Check("holds", "It holds."), Check("vouches", "It vouches.", blocking=True)]


def published(report):
    """What ``publish`` yields, logs and raises in a run of an asset with one check."""
    console, failures = RunConsole(), []

    @dg.multi_asset(
        specs=[dg.AssetSpec("records", skippable=True)],
    )
    def records(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        try:
            yield from publish(context, console, "records", CHECKS, report)
        except dg.Failure as failure:
            failures.append(failure)
            raise

    with dg.DagsterInstance.ephemeral() as instance:
        run = dg.materialize([records], instance=instance, raise_on_error=False)
        checks = {one.check_name: one.passed for one in logged_evaluations(instance, run.run_id)}
        return checks, failures, console.summaries[run.run_id]


def test_publish_logs_the_results_and_keeps_the_summary():
    findings = [Finding("holds", passed=False, severity="WARN")]
    checks, failures, summary = published(Report(findings=findings))
    assert (checks, failures) == ({"holds": False}, [])
    assert (summary.totals, summary.verdict, summary.findings) == ({"scanned": 3}, "done", findings)


def test_publish_fails_after_the_results_and_forbids_retries():
    checks, failures, summary = published(Report(failed="locked", findings=[Finding("holds", passed=True)]))
    assert checks == {"holds": True}
    assert [(failure.description, failure.allow_retries) for failure in failures] == [("shard 1: locked", False)]
    assert (summary.verdict, summary.reason) == ("failed", "shard 1: locked")


def test_failed_blocking_check_fails_the_run_with_its_name():
    checks, failures, summary = published(Report(findings=[Finding("vouches", passed=False)]))
    assert checks == {"vouches": False}
    assert [failure.description for failure in failures] == ["failed checks: vouches"]
    assert {type(failure).__name__ for failure in failures} <= BLOCKING_CHECK_FAILED  # one alert for both
    assert summary.verdict == "anomaly"
