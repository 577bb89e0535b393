"""What is read from Dagster's event log about one run."""

import dagster as dg
import pytest
from dagster._core.events import DagsterEvent, EngineEventData, StepMaterializationData
from dagster_shared.error import SerializableErrorInfo

from tests.fake_dagster_runs import begin
from tests.wxyc_assets.monitoring.alerts.scripted_asset import SPECS, made_up
from wxyc_assets.monitoring.alerts.event_log import newest_event, read_credits, read_run_facts, scopes_of
from wxyc_assets.monitoring.alerts.rules import alert_changes
from wxyc_assets.monitoring.alerts.run_facts import WHOLE_ASSET
from wxyc_assets.orchestration.checks import SCOPE
from wxyc_assets.orchestration.dry_runs import DRY_RUN_TAG


def facts_of(runs, run_id):
    record = runs.instance.get_run_record_by_id(run_id)
    return read_run_facts(runs.instance, record, scopes_of([made_up]))


def test_a_run_has_its_plan_its_credits_and_its_evaluations(runs):
    facts = facts_of(runs, runs.run(0, 2, fails=["of_shards"], attributed=["1"]))
    (asset,) = facts.assets
    assert (facts.end, asset.asset, asset.failure) == ("success", "made_up", None)
    assert asset.planned == asset.credited.keys() == {"0", "1", "2"}
    assert asset.expected == {evaluation.check for evaluation in asset.evaluations} == {spec.name for spec in SPECS}
    (failed,) = [evaluation for evaluation in asset.evaluations if not evaluation.passed]
    assert (failed.check, failed.severity, failed.partitions) == ("of_shards", "ERROR", {"1"})


def test_the_numbers_of_an_evaluation_are_its_checks_own(runs):
    """The metadata of a failed result also has the partitions and the section of the runbook."""
    (asset,) = facts_of(runs, runs.run(0, 2, fails=["of_shards"], attributed=["1"])).assets
    assert [dict(evaluation.numbers) for evaluation in asset.evaluations] == [{"rows": 3}] * len(SPECS)


def test_a_failure_has_the_class_and_text_of_the_root_exception(runs):
    (asset,) = facts_of(runs, runs.run(0, 1, raises="no such album")).assets
    failure = asset.failure
    assert (failure.step, failure.error_class, failure.reason) == ("made_up", "LookupError", "no such album")
    assert "RuntimeError: the script failed" in failure.stack


def test_the_reason_of_a_failure_does_not_name_its_module(runs):
    (asset,) = facts_of(runs, runs.run(0, 1, misses=["1"])).assets
    assert (asset.failure.error_class, asset.failure.reason) == ("Failure", "shards 1 could not be done")
    assert asset.missed == {"1"}


@pytest.mark.parametrize(("job", "asset_name"), [("run_library_identity", "library_identity"), ("job", "job")])
def test_a_run_that_failed_before_its_plan_has_facts(runs, job, asset_name):
    """They are about the job's asset; about the job itself if it has none."""
    run_id = begin(runs.instance, job=job)
    runs.instance.report_run_failed(runs.instance.get_run_by_id(run_id), "The process of this run is gone.")
    (asset,) = facts_of(runs, run_id).assets
    assert (asset.asset, asset.planned, asset.failure.step) == (asset_name, {WHOLE_ASSET}, "run")
    assert asset.failure.reason == "The process of this run is gone."


def test_a_run_that_has_not_ended_has_no_facts(runs):
    with pytest.raises(KeyError):
        facts_of(runs, begin(runs.instance))


def test_an_interrupted_run_is_canceled(runs):
    """Ctrl-C is no failure."""
    facts = facts_of(runs, runs.run(0, 1, interrupted=True))
    assert (facts.end, alert_changes(facts).raised) == ("canceled", [])


def test_a_run_that_could_not_be_launched_has_the_reason_of_the_daemon(runs):
    run_id = begin(runs.instance, dg.DagsterRunStatus.QUEUED)
    run = runs.instance.get_run_by_id(run_id)
    error = SerializableErrorInfo("Could not reach user code server", [], "DagsterUserCodeUnreachableError", cause=None)
    runs.instance.report_engine_event("unrecoverable", run, EngineEventData.engine_error(error))
    runs.instance.report_run_failed(run)
    (asset,) = facts_of(runs, run_id).assets
    assert asset.failure.error_class == "RunFailure"
    assert asset.failure.reason == (
        "Dagster could not launch the run: DagsterUserCodeUnreachableError: Could not reach user code server"
    )


def test_the_last_event_of_a_killed_run_is_before_the_report(runs):
    run_id = begin(runs.instance)
    event = DagsterEvent(
        dg.DagsterEventType.ASSET_MATERIALIZATION.value, "job",
        event_specific_data=StepMaterializationData(dg.AssetMaterialization("made_up", partition="5")),
    )  # fmt: skip
    runs.instance.report_dagster_event(event, run_id)
    before = newest_event(runs.instance)
    runs.run(0, 0)
    runs.instance.report_run_failed(runs.instance.get_run_by_id(run_id), "The process of this run is gone.")
    assert facts_of(runs, run_id).event_id == before


def test_credits_are_read_by_asset_and_partition(runs):
    run_id = runs.run(0, 2, misses=["1"])
    assert {asset: set(credited) for asset, credited in read_credits(runs.instance, run_id).items()} == {
        "made_up": {"0", "2"}
    }


def test_a_dry_run_did_nothing_to_any_asset(runs):
    run_id = begin(runs.instance, tags={DRY_RUN_TAG: "true"})
    runs.instance.report_run_failed(runs.instance.get_run_by_id(run_id), "LML is down.")
    facts = facts_of(runs, run_id)
    assert (facts.end, list(facts.assets)) == ("failure", [])


def test_scopes_are_those_of_the_specs():
    found = scopes_of([made_up])
    assert {key.name: scope for key, scope in found.items()} == {
        "of_shards": "partitions", "of_it_all": "asset", "blocks": "partitions", "is_watched": "watched",
    }  # fmt: skip


def test_an_unknown_scope_is_refused():
    spec = dg.AssetCheckSpec("odd", asset="an_asset", metadata={SCOPE: "universe"})

    @dg.multi_asset(specs=[dg.AssetSpec("an_asset")], check_specs=[spec])
    def an_asset():
        yield

    with pytest.raises(ValueError, match="must be one of"):
        scopes_of([an_asset])
