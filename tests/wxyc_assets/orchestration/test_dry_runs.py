"""A dry run is a job beside its asset: it shows its numbers, and Dagster plans no partition and no check for it."""

from dataclasses import dataclass

import dagster as dg
import pytest

from tests.materializer import AssetRuns
from wxyc_assets.assets.registry import ASSETS
from wxyc_assets.definitions import defs
from wxyc_assets.orchestration.dry_runs import DRY_RUN_TAG, ShardsConfig, dry_run_job, publish_dry_run
from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.outcome import RunOutcome, ShardRequest
from wxyc_assets.runs.run_console import RunConsole

REQUEST = ShardRequest("a run", "explicit", [0, 1], dry_run=True)


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


@pytest.fixture
def published(instance):
    """Runs a dry run that publishes a report."""

    def publish(report, **arguments):
        runs = AssetRuns(instance, "records")

        @dg.op(name="records_dry_run")
        def op(context: dg.OpExecutionContext) -> None:
            publish_dry_run(context, runs.console, "records", report, **arguments)

        job = dry_run_job("dry_run_records", op, description="Counts.")
        return runs, job.execute_in_process(instance=instance, raise_on_error=False)

    return publish


def test_dry_run_shows_its_report_or_its_totals(published):
    def shown(report, **arguments):
        runs, run = published(report, **arguments)
        return runs.dry_run_event(run)

    assert shown(Report()) == {"partitions": 2, "scanned": 3}
    assert shown(Report(dry_run_report={"would_ask": 5})) == {"partitions": 2, "would_ask": 5}
    both = shown(Report(dry_run_report={"a": 1}), numbers={"b": 2}, shown={"c": "text"})
    assert list(both.items()) == [("c", "text"), ("partitions", 2), ("b", 2)]


def test_dry_run_with_failed_checks_succeeds_and_touches_nothing(published):
    report = Report(findings=[Finding("holds", passed=False)])
    runs, run = published(report)
    assert (run.success, runs.touched(run), runs.found(run)) == (True, [], {"holds"})


def test_dry_run_that_could_not_do_its_job_fails_with_the_reason(published):
    runs, run = published(Report(failed="locked"))
    assert (run.success, runs.summary(run).reason) == (False, "shard 1: locked")


def test_every_asset_has_a_dry_run_that_is_tagged():
    jobs = {job.name: job for job in defs.resolve_all_job_defs() if job.tags.get(DRY_RUN_TAG) == "true"}
    assert set(jobs) == {info.dry_run_job for info in ASSETS}
    assert {info.dry_run_op for info in ASSETS} == {node.name for job in jobs.values() for node in job.nodes}
    assert all(job.description for job in jobs.values())


def test_shards_of_a_dry_run_are_all_16_by_default():
    assert ShardsConfig().shards == list(range(16))
    assert RunConsole().summaries == {}
