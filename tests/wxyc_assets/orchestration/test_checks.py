"""Findings as Dagster's check results, and the checks of an asset executed without it."""

import asyncio
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

from tests.materializer import logged_evaluations
from wxyc_assets.definitions import build_defs
from wxyc_assets.orchestration.checks import (
    MAX_NAMED_PARTITIONS,
    SCOPE,
    asset_checks,
    check_results,
    check_specs,
    evaluations,
)
from wxyc_assets.orchestration.resources import default_resources
from wxyc_assets.runs.findings import Check, Finding


def test_a_finding_becomes_a_result_with_its_numbers():
    (result,) = check_results(
        [Finding("rows", passed=False, severity="WARN", numbers={"rows": 3}, description="3 rows")]
    )
    assert (result.check_name, result.passed, result.severity) == ("rows", False, dg.AssetCheckSeverity.WARN)
    numbers = {name: value.value for name, value in result.metadata.items()}
    assert numbers == {"rows": 3, "runbook": "docs/operations.md#rows"}
    assert result.description == "3 rows"


def test_only_a_failed_result_points_to_the_runbook():
    (result,) = check_results([Finding("rows", passed=True, numbers={"rows": 0})])
    assert {name: value.value for name, value in result.metadata.items()} == {"rows": 0}


@pytest.mark.parametrize(
    ("partitions", "named"),
    [([], None), (["3", "11"], "3, 11"), (list(map(str, range(MAX_NAMED_PARTITIONS + 1))), None)],
)
def test_failed_result_names_partitions_up_to_a_limit(partitions, named):
    (result,) = check_results([Finding("rows", passed=False, partitions=partitions)])
    assert (result.metadata["failed_partitions"].value if named else result.metadata.get("failed_partitions")) == named


def test_specs_have_blocking_and_scope():
    checks = (Check("a", "A.", scope="watched"), Check("b", "B.", blocking=True, scope="asset", stored=True))
    specs = check_specs("an_asset", checks)
    assert [(spec.name, spec.description, spec.blocking, spec.metadata[SCOPE]) for spec in specs] == [
        ("a", "A. Executed alone, it repeats what the latest run of the asset found.", False, "watched"),
        ("b", "B. Executed alone, it evaluates the present state.", True, "asset"),
    ]  # fmt: skip


@dg.multi_asset(
    specs=[dg.AssetSpec("records", skippable=True)], partitions_def=dg.StaticPartitionsDefinition(["a", "b"])
)
def records(
    context: dg.AssetExecutionContext, findings: dg.ResourceParam[list[Finding]]
) -> Iterator[dg.MaterializeResult]:
    if all(finding.passed for finding in findings):
        context.log_event(dg.AssetMaterialization("records", partition=context.partition_key))
    for evaluation in evaluations("records", CHECKS, findings):
        context.log_event(evaluation)
    yield from ()


CHECKS = (Check("counted", "Counted.", blocking=True), Check("kept", "Kept.", stored=True))
COUNTED, MISCOUNTED = (
    Finding("counted", passed=True, numbers={"n": 3}),
    Finding("counted", passed=False, partitions=["a"]),
)


class Records:
    """The asset ``records`` and its checks on an instance; ``kept`` is what storage says."""

    def __init__(self, instance):
        self.instance, self.kept = instance, True

    def run(self, findings, partition):
        return self._job(findings).execute_in_process(
            instance=self.instance, asset_selection=[dg.AssetKey("records")], partition_key=partition, run_config=QUIET
        )

    def run_checks(self, *names):
        wanted = {dg.AssetCheckKey(dg.AssetKey("records"), name) for name in names}
        job = self._job([]).get_subset(asset_selection=set(), asset_check_selection=wanted)
        return job.execute_in_process(instance=self.instance, raise_on_error=False, run_config=QUIET)

    def shown(self, name):
        """The status that the UI shows of a check, None for "Not evaluated"."""

        async def read():
            loading = LoadingContextForTest(self.instance)
            record = await AssetCheckExecutionRecord.gen(loading, dg.AssetCheckKey(dg.AssetKey("records"), name))
            targets = record is not None and await record.targets_latest_materialization(loading)
            return record.status.value if record and targets else None

        return asyncio.run(read())

    def _job(self, findings):
        checks = asset_checks(
            "records", CHECKS, evaluate_stored=lambda _resources, _names: [Finding("kept", passed=self.kept)]
        )
        return dg.Definitions(
            assets=[records], asset_checks=[checks], resources={"findings": findings}
        ).resolve_implicit_global_asset_job_def()


QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def test_failed_check_of_an_uncredited_partition_shows_failed(instance):
    ran = Records(instance)
    ran.run([COUNTED], "a")
    ran.run([COUNTED], "b")
    ran.run([MISCOUNTED], "a")
    assert ran.shown("counted") == "FAILED"


def test_a_run_over_partitions_stores_one_row_for_each_check(instance):
    """A check that is an output of the asset would be planned once for each partition."""
    ran = Records(instance)
    ran.run([COUNTED, Finding("kept", passed=True)], "a")
    for check in CHECKS:
        key = dg.AssetCheckKey(dg.AssetKey("records"), check.name)
        assert len(instance.event_log_storage.get_asset_check_execution_history(key, limit=10)) == 1


def test_stored_checks_alone_evaluate_the_present_state(instance):
    ran = Records(instance)
    ran.run([COUNTED, Finding("kept", passed=False)], "a")
    run = ran.run_checks("kept")
    assert [(one.check_name, one.passed) for one in logged_evaluations(instance, run.run_id)] == [("kept", True)]
    ran.kept = False
    run = ran.run_checks("kept")
    assert [(one.check_name, one.passed) for one in logged_evaluations(instance, run.run_id)] == [("kept", False)]


@pytest.mark.parametrize("finding", [COUNTED, MISCOUNTED])
def test_other_checks_alone_repeat_what_the_latest_run_found(instance, finding):
    """Twice, because a repeated evaluation is the latest one then; the numbers and the run stay those of the run."""
    ran = Records(instance)
    ran.run([COUNTED], "b")
    found_by = ran.run([finding], "a").run_id
    for _ in range(2):
        run = ran.run_checks("counted", "kept")
        repeated = {one.check_name: one for one in logged_evaluations(instance, run.run_id)}["counted"]
        assert (repeated.passed, repeated.metadata["repeats_run"].value) == (finding.passed, found_by)
        assert str(repeated.description).count(f"as run {found_by} found it at") == 1
        assert {name: repeated.metadata[name].value for name in finding.numbers} == dict(finding.numbers)
        assert run.success == finding.passed  # a failed blocking check fails its run
    assert ran.shown("counted") == ("SUCCEEDED" if finding.passed else "FAILED")


def test_checks_that_no_run_has_evaluated_stay_unevaluated(instance):
    ran = Records(instance)
    run = ran.run_checks("counted", "kept")
    assert run.success
    assert [one.check_name for one in logged_evaluations(instance, run.run_id)] == ["kept"]


DEFS = build_defs(**dict.fromkeys(default_resources(), object()))


def test_every_check_of_an_asset_says_what_executing_it_alone_does():
    for node in DEFS.resolve_asset_graph().asset_check_keys:
        description = DEFS.resolve_asset_graph().get_check_spec(node).description
        assert "Executed alone, it " in str(description)
