"""The asset through Dagster itself: what its pages show, what it credits, what fails a run."""

import importlib
from functools import partial

import dagster as dg
import psycopg
import pytest

from tests.asset_runs import AssetRuns
from tests.wxyc_assets.library_identity.arbitrary_lml import all_single, serving, single
from wxyc_assets import single_flight
from wxyc_assets.library_identity.run import Tools
from wxyc_assets.settings import IdentitySettings

KEY = dg.AssetKey("library_identity")
CHECKS_OF_ANSWERS = {"accounting_holds", "answers_trusted", "contract_violations_zero"}
CHECKS_OF_STORAGE = {"writer_errors_zero", "eligible_left_zero", "unresolved_rate_usual"}


@pytest.fixture
def dagster(shelves, monkeypatch):
    """Runs the asset over shards 0 to 3 on an ephemeral instance; returns what Dagster then knows of it."""
    monkeypatch.setattr("wxyc_assets.library_identity.asset.Tools", partial(Tools, unit_wait_s=0.2))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Dagster(instance, shelves)


class Dagster(AssetRuns):
    def __init__(self, instance, runs):
        super().__init__(instance, "library_identity")
        self.runs = runs

    def run(self, url, *, first="0", last="3", tags=None, settings=None, **config):
        with self.runs.lml(url, attempts=1) as lml:
            defs = importlib.import_module("wxyc_assets.definitions").build_defs(
                postgres=self.runs.postgres,
                lml=lml,
                sentry=self.runs.sentry,
                operator=self.operator,
                identity_settings=settings or IdentitySettings(),
            )
            return self.materialize(defs, first, last, tags, config)


def test_each_shard_is_credited_once_with_its_own_numbers_and_all_checks_are_evaluated(dagster):
    with serving(all_single) as lml:
        run = dagster.run(lml.url)
    assert run.success
    credited, events = dagster.credited
    assert (set(credited), events) == ({"0", "1", "2", "3"}, 4)
    assert credited["2"]["scanned"] == credited["2"]["resolved"] == 25
    assert {name: type(value) for name, value in credited["2"].items() if name != "outcome"} == dict.fromkeys(
        [name for name in credited["2"] if name != "outcome"], int
    )
    assert "identity written" in credited["2"]["outcome"]
    checks = dagster.checks(run)
    assert set(checks) == CHECKS_OF_ANSWERS | CHECKS_OF_STORAGE
    assert all(passed for passed, _ in checks.values())
    assert dagster.summary(run).totals["rows_resolved"] == 100


def test_untrusted_answers_fail_the_run_by_their_blocking_check_and_shards_are_credited(dagster):
    with serving(lambda inputs: [*all_single(inputs), single(9999)]) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    assert dagster.checks(run)["answers_trusted"] == (False, "ERROR")
    assert dagster.credited[1] == 4


def test_a_failed_check_that_does_not_block_leaves_the_run_green(dagster):
    with serving(lambda inputs: [single(one["library_id"], confidence=3) for one in inputs]) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["contract_violations_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


def test_a_dry_run_credits_nothing_and_evaluates_only_the_checks_of_answers(dagster):
    with serving(all_single) as lml:
        run = dagster.run(lml.url, dry_run=True)
    assert run.success
    assert dagster.credited == ({}, 0)
    assert set(dagster.checks(run)) == CHECKS_OF_ANSWERS
    assert dagster.summary(run).dry_run_report["would_resolve"] == 100
    assert dagster.rehearsed(run)["would_resolve"] == 100
    assert dagster.runs.rows("SELECT FROM library_identity") == []


def test_a_shard_that_could_not_be_done_fails_the_run_by_name_and_the_others_are_credited(dagster):
    with single_flight.run_locks(dagster.runs.postgres, "other") as locks, serving(all_single) as lml:
        locks.take([single_flight.unit("library_identity", 1)])
        run = dagster.run(lml.url)
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "2", "3"}
    (failure,) = run.get_step_failure_events()
    assert (
        "shard 1" in failure.step_failure_data.error.message
        or "shard 1" in failure.step_failure_data.user_failure_data.description
    )
    assert "run other" in dagster.summary(run).reason


def test_a_shard_that_lml_did_not_answer_is_not_credited(dagster):
    def fail_shard_2(inputs):
        return (500, {}) if inputs[0]["library_id"] % 16 == 2 else all_single(inputs)

    with serving(fail_shard_2) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "1", "3"}
    assert dagster.summary(run).verdict == "anomaly"


def test_a_run_that_could_not_look_at_what_it_left_fails_and_keeps_its_credits(dagster, monkeypatch):
    def gone(*_args, **_kwargs):
        raise psycopg.OperationalError("the server went away")

    monkeypatch.setattr("wxyc_assets.library_identity.store.count_eligible", gone)
    with serving(all_single) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    assert dagster.credited[1] == 4
    summary = dagster.summary(run)
    assert (summary.verdict, summary.totals["rows_resolved"]) == ("failed", 100)
    assert "the server went away" in summary.reason
    assert set(dagster.checks(run)) == CHECKS_OF_ANSWERS


@pytest.mark.parametrize(
    ("tags", "origin"),
    [
        ({}, "explicit"),
        ({"dagster/sensor_name": "stale_identities"}, "routine"),
        ({"dagster/sensor_name": "stale_identities", "dagster/from_ui": "true"}, "explicit"),
        ({"wxyc/origin": "routine"}, "routine"),
    ],
    ids=str,
)
def test_who_is_behind_a_run_is_on_record(dagster, tags, origin):
    with serving(all_single) as lml:
        run = dagster.run(lml.url, last="0", tags=tags)
    assert dagster.runs.rows("SELECT run_id, origin, verdict FROM wxyc_assets.run") == [(run.run_id, origin, "done")]


def test_flags_reach_the_selection_from_the_run_config_or_the_settings(dagster):
    dagster.runs.execute("UPDATE library SET canonical_entity_id = NULL WHERE id % 2 = 0")
    everything = IdentitySettings.model_validate({"INCLUDE_NULL_CANONICAL": "1"})
    with serving(all_single) as lml:
        assert scanned(dagster, lml.url, dry_run=True) == 50
        assert scanned(dagster, lml.url, dry_run=True, include_null_canonical=True) == 100
        assert scanned(dagster, lml.url, dry_run=True, settings=everything) == 100
        assert scanned(dagster, lml.url, dry_run=True, recheck=True) == 0


def scanned(dagster, url, **options):
    return dagster.summary(dagster.run(url, **options)).totals["scanned"]


def test_the_windows_of_the_settings_reach_the_selection(dagster):
    with serving(all_single) as lml:
        dagster.run(lml.url)
        dagster.runs.execute("UPDATE library_identity SET last_verified_at = now() - interval '5 days'")
        assert scanned(dagster, lml.url, dry_run=True) == 0
        settings = IdentitySettings.model_validate({"STALE_THRESHOLD_DAYS": "4"})
        assert scanned(dagster, lml.url, dry_run=True, settings=settings) == 100


def test_the_asset_is_described_to_those_who_look_at_it():
    asset = importlib.import_module("wxyc_assets.library_identity.asset").library_identity
    spec = asset.specs_by_key[KEY]
    assert spec.owners
    assert spec.kinds
    assert spec.group_name
    assert "row" in spec.description
    assert spec.metadata["dagster/table_name"]
    assert (
        spec.freshness_policy.warn_window.to_timedelta().days,
        spec.freshness_policy.fail_window.to_timedelta().days,
    ) == (7, 8)
    assert asset.partitions_def.get_partition_keys() == [str(shard) for shard in range(16)]
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
