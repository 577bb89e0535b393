"""The asset through Dagster: its materializations and checks, failed runs, and its description."""

import importlib
from functools import partial

import dagster as dg
import psycopg
import pytest

from tests.materializer import AssetRuns
from tests.wxyc_assets.assets.library_identity.fake_lml import all_single_artists, serve_verdicts, single_artist
from wxyc_assets.assets.library_identity.run import Tools
from wxyc_assets.runs import advisory_locks
from wxyc_assets.settings import IdentitySettings

KEY = dg.AssetKey("library_identity")
CHECKS_OF_ANSWERS = {"accounting_holds", "answers_trusted", "contract_violations_zero"}
CHECKS_OF_STORAGE = {"writer_errors_zero", "eligible_left_zero", "unresolved_rate_usual"}


@pytest.fixture
def dagster(library, monkeypatch):
    """Runs of the asset over shards 0 to 3 on an ephemeral instance."""
    monkeypatch.setattr("wxyc_assets.assets.library_identity.asset.Tools", partial(Tools, unit_wait_s=0.2))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Dagster(instance, library)


class Dagster(AssetRuns):
    def __init__(self, instance, library):
        super().__init__(instance, "library_identity")
        self.library = library

    def run(self, url, *, first="0", last="3", tags=None, settings=None, **config):
        with self.library.lml(url, attempts=1) as lml:
            defs = importlib.import_module("wxyc_assets.definitions").build_defs(
                postgres=self.library.postgres,
                billing_postgres=self.library.postgres,
                lml=lml,
                sentry=self.library.sentry,
                console=self.console,
                identity_settings=settings or IdentitySettings(),
            )
            return self.materialize(defs, first, last, tags, config)


def test_each_shard_is_credited_once_and_all_checks_evaluated(dagster):
    with serve_verdicts(all_single_artists) as lml:
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


def test_untrusted_answers_fail_the_run_and_credit_no_shard(dagster):
    with serve_verdicts(lambda inputs: [*all_single_artists(inputs), single_artist(9999)]) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    assert dagster.checks(run)["answers_trusted"] == (False, "ERROR")
    assert dagster.credited == ({}, 0)
    assert dagster.summary(run).verdict == "anomaly"


def test_untrusted_answers_of_one_shard_cost_its_credit_alone(dagster):
    def foreign_in_shard_2(inputs):
        foreign = [single_artist(9999)] if inputs[0]["library_id"] % 16 == 2 else []
        return [*all_single_artists(inputs), *foreign]

    with serve_verdicts(foreign_in_shard_2) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    credited, _ = dagster.credited
    assert sorted(credited) == ["0", "1", "3"]


def test_failed_check_that_does_not_block_leaves_the_run_green(dagster):
    with serve_verdicts(lambda inputs: [single_artist(one["library_id"], confidence=3) for one in inputs]) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["contract_violations_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


def test_dry_run_touches_no_partition_and_no_check(dagster):
    with serve_verdicts(all_single_artists) as lml:
        run = dagster.run(lml.url, dry_run=True)
    assert run.success
    assert dagster.credited == ({}, 0)
    assert (dagster.touched(run), dagster.found(run)) == ([], CHECKS_OF_ANSWERS)
    assert dagster.summary(run).dry_run_report["would_resolve"] == 100
    assert dagster.dry_run_event(run)["would_resolve"] == 100
    assert dagster.library.rows("SELECT FROM library_identity") == []


def test_locked_shard_fails_the_run_by_name(dagster):
    """The other shards are credited."""
    with (
        advisory_locks.run_locks(dagster.library.postgres, "other") as locks,
        serve_verdicts(all_single_artists) as lml,
    ):
        locks.take([advisory_locks.unit("library_identity", 1)])
        run = dagster.run(lml.url)
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "2", "3"}
    (failure,) = run.get_step_failure_events()
    assert (
        "shard 1" in failure.step_failure_data.error.message
        or "shard 1" in failure.step_failure_data.user_failure_data.description
    )
    assert "run other" in dagster.summary(run).reason


def test_shard_that_lml_did_not_answer_is_not_credited(dagster):
    def fail_shard_2(inputs):
        return (500, {}) if inputs[0]["library_id"] % 16 == 2 else all_single_artists(inputs)

    with serve_verdicts(fail_shard_2) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "1", "3"}
    assert dagster.summary(run).verdict == "anomaly"


def test_run_that_cannot_evaluate_its_checks_keeps_its_credits(dagster, monkeypatch):
    def gone(*_args, **_kwargs):
        raise psycopg.OperationalError("the server went away")

    monkeypatch.setattr("wxyc_assets.assets.library_identity.store.count_eligible", gone)
    with serve_verdicts(all_single_artists) as lml:
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
def test_ledger_has_the_origin_of_a_run(dagster, tags, origin):
    with serve_verdicts(all_single_artists) as lml:
        run = dagster.run(lml.url, last="0", tags=tags)
    assert dagster.library.rows("SELECT run_id, origin, verdict FROM wxyc_assets.run") == [(run.run_id, origin, "done")]


def test_options_reach_the_selection_from_config_or_settings(dagster):
    dagster.library.execute("UPDATE library SET canonical_entity_id = NULL WHERE id % 2 = 0")
    everything = IdentitySettings.model_validate({"INCLUDE_NULL_CANONICAL": "1"})
    with serve_verdicts(all_single_artists) as lml:
        assert scanned(dagster, lml.url, dry_run=True) == 50
        assert scanned(dagster, lml.url, dry_run=True, include_null_canonical=True) == 100
        assert scanned(dagster, lml.url, dry_run=True, settings=everything) == 100
        assert scanned(dagster, lml.url, dry_run=True, recheck=True) == 0


def scanned(dagster, url, **options):
    return dagster.summary(dagster.run(url, **options)).totals["scanned"]


def test_age_limits_of_the_settings_reach_the_selection(dagster):
    with serve_verdicts(all_single_artists) as lml:
        dagster.run(lml.url)
        dagster.library.execute("UPDATE library_identity SET last_verified_at = now() - interval '5 days'")
        assert scanned(dagster, lml.url, dry_run=True) == 0
        settings = IdentitySettings.model_validate({"STALE_THRESHOLD_DAYS": "4"})
        assert scanned(dagster, lml.url, dry_run=True, settings=settings) == 100


def test_asset_has_its_metadata_for_the_ui():
    asset = importlib.import_module("wxyc_assets.assets.library_identity.asset").library_identity
    spec = asset.specs_by_key[KEY]
    assert spec.owners
    assert spec.kinds
    assert spec.group_name
    assert "row" in spec.description
    assert spec.metadata["dagster/table_name"]
    assert asset.partitions_def.get_partition_keys() == [str(shard) for shard in range(16)]
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
