"""The asset through Dagster: its materializations and checks, failed runs, settings and its automation condition."""

import importlib
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
import pytest

from tests.materializer import AssetRuns
from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, all_match, match, serve_lookups
from wxyc_assets.assets.album_metadata import checks
from wxyc_assets.assets.album_metadata.checks import RecentMismatches, accounting, of_answers, of_last_day
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.run import Tools
from wxyc_assets.orchestration.partitions import SHARDS
from wxyc_assets.runs import advisory_locks
from wxyc_assets.settings import AlbumSettings, FlowsheetSettings, IdentitySettings, LmlSettings, SettingsError, load

KEY = dg.AssetKey("album_metadata")
CHECKS = {check.name for check in checks.CHECKS}
LARGE_BUDGET = {"LML_DISCOGS_BUDGET_PER_MIN": "1000000"}


def load_asset():
    return importlib.import_module("wxyc_assets.assets.album_metadata.asset").album_metadata


def load_checks():
    return importlib.import_module("wxyc_assets.assets.album_metadata.asset").album_metadata_checks


@pytest.fixture
def dagster(albums, monkeypatch):
    """Runs of the asset over shards 0 to 3 on an ephemeral instance."""
    monkeypatch.setattr("wxyc_assets.assets.album_metadata.asset.Tools", partial(Tools, unit_wait_s=0.2))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Dagster(instance, albums)


class Dagster(AssetRuns):
    def __init__(self, instance, albums):
        super().__init__(instance, "album_metadata")
        self.albums = albums

    def run(self, url, *, first="0", last="3", tags=None, settings=None, identity=None, lml_settings=None, **config):
        with self.albums.lml(url) as lml:
            defs = dg.Definitions(
                assets=[load_asset()],
                asset_checks=[load_checks()],
                resources={
                    "postgres": self.albums.postgres,
                    "lml": lml,
                    "sentry": self.albums.sentry,
                    "console": self.console,
                    "flowsheet_settings": FlowsheetSettings(),
                    "album_settings": AlbumSettings.model_validate(settings or {}),
                    "identity_settings": IdentitySettings.model_validate(identity or {}),
                    "lml_settings": LmlSettings.model_validate(lml_settings or LARGE_BUDGET),
                },
                executor=dg.in_process_executor,
            )
            return self.materialize(defs, first, last, tags, config)


def test_each_shard_is_credited_once_and_all_checks_evaluated(dagster):
    with serve_lookups(all_match) as lml:
        run = dagster.run(lml.url)
    assert run.success
    credited, events = dagster.credited
    assert (set(credited), events) == ({"0", "1", "2", "3"}, 4)
    assert credited["2"]["scanned"] == credited["2"]["upserts"] == 10
    assert all(type(value) is int for name, value in credited["2"].items() if name != "outcome")
    assert "row written" in credited["2"]["outcome"]
    assert {name: passed for name, (passed, _) in dagster.checks(run).items()} == dict.fromkeys(CHECKS, True)
    assert dagster.summary(run).totals["match"] == 40
    assert dagster.summary(run).partitions == ["0", "1", "2", "3"]


def test_findings_and_declared_checks_are_the_same():
    found = [
        accounting(Counters(), processed=Counters(), inputs_read=0),
        *of_answers(Counters()),
        of_last_day(RecentMismatches(0)),
    ]
    assert {finding.name for finding in found} == CHECKS


def test_unexpected_index_fails_the_run_and_credits_no_shard(dagster):
    with serve_lookups(lambda items: [*all_match(items)[:-1], match(0)]) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    checks = dagster.checks(run)
    assert checks["unexpected_index_is_zero"] == (False, "ERROR")
    assert checks["unexpected_index_24h_is_zero"] == (False, "WARN")
    assert (
        "the first: album 80, position 4: index 0 in its place"
        in dagster.descriptions(run)["unexpected_index_24h_is_zero"]
    )
    assert dagster.credited == ({}, 0)
    assert dagster.summary(run).verdict == "anomaly"
    # flowsheet_enrichment reads the counter by this name from the ledger.
    assert dagster.albums.rows(
        "SELECT partition_key, counters->>'unexpected_index' FROM wxyc_assets.tally ORDER BY 1"
    ) == [(str(shard), "2") for shard in range(4)]


def test_check_of_the_last_day_alone_leaves_the_run_green(dagster):
    with serve_lookups(lambda items: [match(7) for _ in items]) as lml:
        dagster.run(lml.url, last="0")
        lml.say = all_match
        run = dagster.run(lml.url, first="1", last="1")
    assert run.success
    assert dagster.checks(run)["unexpected_index_24h_is_zero"][0] is False
    assert dagster.checks(run)["unexpected_index_is_zero"][0] is True
    assert dagster.summary(run).verdict == "done"


def test_refused_row_leaves_the_run_green_and_is_an_anomaly(dagster):
    with serve_lookups(lambda items: [match(place, artwork_url="x" * 600) for place in range(len(items))]) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["writer_errors_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


def test_dry_run_touches_no_partition_and_no_check(dagster):
    with serve_lookups(all_match) as lml:
        run = dagster.run(
            lml.url, dry_run=True, lml_settings={"LML_DISCOGS_BUDGET_PER_MIN": "40", "LML_COST_LOOKUP_ITEM": "2"}
        )
        assert lml.asked == []
    assert run.success
    assert dagster.credited == ({}, 0)
    assert (dagster.touched(run), dagster.found(run)) == ([], {"accounting_holds"})
    report = dagster.summary(run).dry_run_report
    assert (report["would_ask"], report["batches"], report["discogs_calls"]) == (40, 8, 80)
    assert report["budget_ours_s"] == 120
    assert dagster.dry_run_event(run).items() >= {"would_ask": 40, "discogs_calls": 80}.items()
    assert dagster.summary(run).totals["scanned"] == 40


def test_locked_shard_fails_the_run_with_the_holders_name(dagster):
    """The other shards are credited."""
    with advisory_locks.run_locks(dagster.albums.postgres, "other") as locks, serve_lookups(all_match) as lml:
        locks.take([advisory_locks.unit("album_metadata", 1)])
        run = dagster.run(lml.url)
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "2", "3"}
    assert "run other" in dagster.summary(run).reason


def test_shard_that_lml_did_not_answer_is_not_credited(dagster):
    def fail_shard_2(items):
        return (500, {}) if album_id_of(items[0]) % 16 == 2 else all_match(items)

    with serve_lookups(fail_shard_2) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "1", "3"}
    assert dagster.summary(run).verdict == "anomaly"


def test_settings_reach_the_run(dagster):
    with serve_lookups(all_match) as lml:
        dagster.run(
            lml.url,
            last="0",
            settings={"BACKFILL_BULK_BATCH_SIZE": "3", "BACKFILL_BULK_BUDGET_MS": "777"},
            identity={"UNRESOLVED_RETRY_DAYS": "3"},
        )
    assert sorted(len(call) for call in lml.asked) == [1, 3, 3, 3]
    assert {headers["X-Caller-Budget-Ms"] for headers in lml.headers} == {"777"}


@pytest.mark.parametrize(("days", "deferred"), [(3, 0), (5, 10)])
def test_setting_decides_the_retry_period_of_an_unknown_album(dagster, days, deferred):
    dagster.albums.execute(
        "INSERT INTO wxyc_assets.album_no_match SELECT l.id, a.artist_name, l.album_title, now() - interval '4 days', 'r' "
        "FROM library l JOIN artists a ON a.id = l.artist_id"
    )
    with serve_lookups(all_match) as lml:
        run = dagster.run(lml.url, last="0", dry_run=True, identity={"UNRESOLVED_RETRY_DAYS": str(days)})
    assert dagster.summary(run).totals["deferred"] == deferred


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"BACKFILL_BULK_BATCH_SIZE": "100"}, False),
        ({"BACKFILL_BULK_BATCH_SIZE": "101"}, True),
        ({"BACKFILL_BULK_BATCH_SIZE": "0"}, True),
        ({"BACKFILL_BULK_BATCH_SIZE": "five"}, True),
        ({"BACKFILL_BULK_BUDGET_MS": "-1"}, True),
    ],
)
def test_batch_size_is_limited_to_one_call_of_lml(settings, refused):
    if refused:
        with pytest.raises(SettingsError, match=next(iter(settings))):
            load(AlbumSettings, settings)
    else:
        assert load(AlbumSettings, settings).batch_size == 100
    assert (load(AlbumSettings, {}).batch_size, load(AlbumSettings, {}).budget_ms) == (5, 25_000)
    assert load(AlbumSettings, {"BACKFILL_BULK_BUDGET_MS": "0"}).budget_ms == 0


def test_asset_has_its_metadata_for_the_ui():
    (spec,) = load_asset().specs
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"library_identity", "flowsheet"}
    assert spec.owners
    assert spec.kinds
    assert spec.group_name
    assert "A partition is" in spec.description
    assert {one.name for one in checks.CHECKS if one.blocking} == {"unexpected_index_is_zero"}


class AutomationTicks:
    """Evaluates the asset's automation condition as the daemon does, at times that the test chooses."""

    def __init__(self, instance):
        identity = dg.AssetsDefinition(specs=[dg.AssetSpec("library_identity", partitions_def=SHARDS)])
        flowsheet = dg.AssetsDefinition(specs=[dg.AssetSpec("flowsheet")])
        self.defs = dg.Definitions(
            assets=[identity, flowsheet, load_asset()],
            resources=dict.fromkeys(
                (
                    "postgres",
                    "lml",
                    "sentry",
                    "console",
                    "album_settings",
                    "flowsheet_settings",
                    "identity_settings",
                    "lml_settings",
                ),
                object(),
            ),
        )
        self.instance, self.cursor = instance, None

    def requested(self, now):
        """The shards that the condition requests at this time."""
        result = dg.evaluate_automation_conditions(
            self.defs,
            self.instance,
            asset_selection=dg.AssetSelection.assets(KEY),
            evaluation_time=now,
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        return result.get_requested_partitions(KEY)

    def materialize(self, key, partition=None):
        """Record a materialization of another asset."""
        self.instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition))


@pytest.fixture
def automation():
    with dg.DagsterInstance.ephemeral() as instance:
        yield AutomationTicks(instance)


NIGHT = datetime(2026, 5, 1, 3, 0, tzinfo=UTC)


def minutes_later(count):
    return NIGHT + timedelta(minutes=count)


def test_shard_is_requested_after_its_library_identity(automation):
    """A play on the flowsheet requests no shard."""
    assert automation.requested(NIGHT) == set()
    automation.materialize("library_identity", "3")
    automation.materialize("library_identity", "7")
    assert automation.requested(minutes_later(1)) == {"3", "7"}
    assert automation.requested(minutes_later(2)) == set()
    automation.materialize("flowsheet")
    assert automation.requested(minutes_later(3)) == set()
    automation.materialize("library_identity", "3")
    assert automation.requested(minutes_later(4)) == {"3"}


def test_every_shard_is_requested_once_a_day(automation):
    everything = {str(shard) for shard in range(16)}
    assert automation.requested(NIGHT) == set()
    assert automation.requested(minutes_later(6 * 60 + 29)) == set()
    assert automation.requested(minutes_later(6 * 60 + 31)) == everything
    assert automation.requested(minutes_later(6 * 60 + 32)) == set()
    assert automation.requested(minutes_later(30 * 60 + 31)) == everything


def test_mismatches_of_the_day_are_evaluated_without_a_run(dagster):
    resources = {"postgres": dagster.albums.postgres}
    with serve_lookups(lambda items: [*all_match(items)[:-1], match(0)]) as lml:
        dagster.run(lml.url)
    run = dagster.run_checks(load_checks(), resources, "unexpected_index_24h_is_zero")
    assert dagster.checks(run) == {"unexpected_index_24h_is_zero": (False, "WARN")}
    dagster.albums.rows("UPDATE wxyc_assets.tally SET updated_at = updated_at - interval '25 hours' RETURNING 1")
    run = dagster.run_checks(load_checks(), resources, "unexpected_index_24h_is_zero")
    assert dagster.checks(run) == {"unexpected_index_24h_is_zero": (True, "WARN")}
