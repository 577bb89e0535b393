"""The asset through Dagster itself: what its pages show, what it credits, what fails a run, what asks for it."""

import importlib
from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
import pytest

from tests.asset_runs import AssetRuns
from tests.wxyc_assets.album_metadata.arbitrary_lml import all_match, match, number, serving
from wxyc_assets import single_flight
from wxyc_assets.album_metadata.checks import SPECS
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.findings import RecentMismatches, accounting, of_answers, of_the_last_day
from wxyc_assets.album_metadata.run import Tools
from wxyc_assets.partitions_dagster import SHARDS
from wxyc_assets.settings import AlbumSettings, IdentitySettings, LmlSettings, SettingsError, load

KEY = dg.AssetKey("album_metadata")
CHECKS = {spec.name for spec in SPECS}
ROOMY = {"LML_DISCOGS_BUDGET_PER_MIN": "1000000"}


def the_asset():
    return importlib.import_module("wxyc_assets.album_metadata.asset").album_metadata


@pytest.fixture
def dagster(played, monkeypatch):
    """Runs the asset over shards 0 to 3 on an ephemeral instance; returns what Dagster then knows of it."""
    monkeypatch.setattr("wxyc_assets.album_metadata.asset.Tools", partial(Tools, unit_wait_s=0.2))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Dagster(instance, played)


class Dagster(AssetRuns):
    def __init__(self, instance, runs):
        super().__init__(instance, "album_metadata")
        self.runs = runs

    def run(self, url, *, first="0", last="3", tags=None, settings=None, identity=None, lml_settings=None, **config):
        with self.runs.lml(url) as lml:
            defs = dg.Definitions(
                assets=[the_asset()],
                resources={
                    "postgres": self.runs.postgres,
                    "lml": lml,
                    "sentry": self.runs.sentry,
                    "operator": self.operator,
                    "album_settings": AlbumSettings.model_validate(settings or {}),
                    "identity_settings": IdentitySettings.model_validate(identity or {}),
                    "lml_settings": LmlSettings.model_validate(lml_settings or ROOMY),
                },
                executor=dg.in_process_executor,
            )
            return self.materialize(defs, first, last, tags, config)


def test_each_shard_is_credited_once_with_its_own_numbers_and_all_checks_are_evaluated(dagster):
    with serving(all_match) as lml:
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


def test_every_finding_of_a_run_is_a_declared_check():
    found = [
        accounting(Counters(), walked=Counters(), inputs_read=0),
        *of_answers(Counters()),
        of_the_last_day(RecentMismatches(0)),
    ]
    assert {finding.name for finding in found} == CHECKS


def test_a_foreign_index_fails_the_run_by_its_blocking_check_and_the_shards_are_credited(dagster):
    with serving(lambda items: [*all_match(items)[:-1], match(0)]) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    checks = dagster.checks(run)
    assert checks["unexpected_index_is_zero"] == (False, "ERROR")
    assert checks["unexpected_index_24h_is_zero"] == (False, "WARN")
    assert (
        "the first: album 80, position 4: index 0 in its place"
        in dagster.descriptions(run)["unexpected_index_24h_is_zero"]
    )
    assert dagster.credited[1] == 4
    assert dagster.summary(run).verdict == "anomaly"
    # The flowsheet pass asks the ledger, by the name of the counter.
    assert dagster.runs.rows(
        "SELECT partition_key, counters->>'unexpected_index' FROM wxyc_assets.tally ORDER BY 1"
    ) == [(str(shard), "2") for shard in range(4)]


def test_the_last_days_check_alone_leaves_the_next_run_green(dagster):
    with serving(lambda items: [match(7) for _ in items]) as lml:
        dagster.run(lml.url, last="0")
        lml.say = all_match
        run = dagster.run(lml.url, first="1", last="1")
    assert run.success
    assert dagster.checks(run)["unexpected_index_24h_is_zero"][0] is False
    assert dagster.checks(run)["unexpected_index_is_zero"][0] is True
    assert dagster.summary(run).verdict == "done"


def test_a_refused_row_leaves_the_run_green_and_is_an_anomaly(dagster):
    with serving(lambda items: [match(place, artwork_url="x" * 600) for place in range(len(items))]) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["writer_errors_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


def test_a_dry_run_credits_nothing_calls_nobody_and_evaluates_only_the_accounting(dagster):
    with serving(all_match) as lml:
        run = dagster.run(
            lml.url, dry_run=True, lml_settings={"LML_DISCOGS_BUDGET_PER_MIN": "40", "LML_COST_LOOKUP_ITEM": "2"}
        )
        assert lml.asked == []
    assert run.success
    assert dagster.credited == ({}, 0)
    assert set(dagster.checks(run)) == {"accounting_holds"}
    report = dagster.summary(run).dry_run_report
    assert (report["would_ask"], report["batches"], report["discogs_calls"]) == (40, 8, 80)
    assert report["budget_ours_s"] == 120
    assert dagster.rehearsed(run).items() >= {"would_ask": 40, "discogs_calls": 80}.items()
    assert dagster.summary(run).totals["scanned"] == 40


def test_a_shard_that_is_locked_fails_the_run_by_name_and_the_others_are_credited(dagster):
    with single_flight.run_locks(dagster.runs.postgres, "other") as locks, serving(all_match) as lml:
        locks.take([single_flight.unit("album_metadata", 1)])
        run = dagster.run(lml.url)
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "2", "3"}
    assert "run other" in dagster.summary(run).reason


def test_a_shard_that_lml_did_not_answer_is_not_credited(dagster):
    def fail_shard_2(items):
        return (500, {}) if number(items[0]) % 16 == 2 else all_match(items)

    with serving(fail_shard_2) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "1", "3"}
    assert dagster.summary(run).verdict == "anomaly"


def test_settings_reach_the_run(dagster):
    with serving(all_match) as lml:
        dagster.run(
            lml.url,
            last="0",
            settings={"BACKFILL_BULK_BATCH_SIZE": "3", "BACKFILL_BULK_BUDGET_MS": "777"},
            identity={"UNRESOLVED_RETRY_DAYS": "3"},
        )
    assert sorted(len(call) for call in lml.asked) == [1, 3, 3, 3]
    assert {headers["X-Caller-Budget-Ms"] for headers in lml.headers} == {"777"}


@pytest.mark.parametrize(("days", "deferred"), [(3, 0), (5, 10)])
def test_an_unknown_album_rests_as_long_as_the_setting_says(dagster, days, deferred):
    dagster.runs.execute(
        "INSERT INTO wxyc_assets.album_no_match SELECT l.id, a.artist_name, l.album_title, now() - interval '4 days', 'r' "
        "FROM library l JOIN artists a ON a.id = l.artist_id"
    )
    with serving(all_match) as lml:
        run = dagster.run(lml.url, last="0", dry_run=True, identity={"UNRESOLVED_RETRY_DAYS": str(days)})
    assert dagster.summary(run).totals["deferred"] == deferred


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ({"BACKFILL_BULK_BATCH_SIZE": "100"}, False),
        ({"BACKFILL_BULK_BATCH_SIZE": "101"}, True),
        ({"BACKFILL_BULK_BATCH_SIZE": "0"}, True),
        ({"BACKFILL_BULK_BATCH_SIZE": "five"}, True),
        ({"BACKFILL_BULK_BUDGET_MS": "0"}, True),
    ],
)
def test_a_batch_holds_at_most_what_lml_takes_in_one_call(settings, refused):
    if refused:
        with pytest.raises(SettingsError, match=next(iter(settings))):
            load(AlbumSettings, settings)
    else:
        assert load(AlbumSettings, settings).batch_size == 100
    assert (load(AlbumSettings, {}).batch_size, load(AlbumSettings, {}).budget_ms) == (5, 25_000)


def test_the_asset_is_described_to_those_who_look_at_it():
    (spec,) = the_asset().specs
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"library_identity", "flowsheet"}
    assert spec.owners
    assert spec.kinds
    assert spec.group_name
    assert "A partition is" in spec.description
    assert spec.freshness_policy is not None
    assert {one.name for one in SPECS if one.blocking} == {"unexpected_index_is_zero"}


# What asks for it


class Automation:
    """Ticks of the automation sensor over the asset, with a library_identity and a flowsheet that tests can update."""

    def __init__(self, instance):
        identity = dg.AssetsDefinition(specs=[dg.AssetSpec("library_identity", partitions_def=SHARDS)])
        flowsheet = dg.AssetsDefinition(specs=[dg.AssetSpec("flowsheet")])
        self.defs = dg.Definitions(
            assets=[identity, flowsheet, the_asset()],
            resources=dict.fromkeys(
                ("postgres", "lml", "sentry", "operator", "album_settings", "identity_settings", "lml_settings"),
                object(),
            ),
        )
        self.instance, self.cursor = instance, None

    def tick(self, now):
        """The shards that are asked for at this moment."""
        result = dg.evaluate_automation_conditions(
            self.defs,
            self.instance,
            asset_selection=dg.AssetSelection.assets(KEY),
            evaluation_time=now,
            cursor=self.cursor,
        )
        self.cursor = result.cursor
        return result.get_requested_partitions(KEY)

    def update(self, key, partition=None):
        self.instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=partition))


@pytest.fixture
def automation():
    with dg.DagsterInstance.ephemeral() as instance:
        yield Automation(instance)


NIGHT = datetime(2026, 5, 1, 3, 0, tzinfo=UTC)


def minutes(count):
    return NIGHT + timedelta(minutes=count)


def test_a_shard_follows_its_own_library_identity_and_no_play_of_the_flowsheet(automation):
    assert automation.tick(NIGHT) == set()
    automation.update("library_identity", "3")
    automation.update("library_identity", "7")
    assert automation.tick(minutes(1)) == {"3", "7"}
    assert automation.tick(minutes(2)) == set()
    automation.update("flowsheet")
    assert automation.tick(minutes(3)) == set()
    automation.update("library_identity", "3")
    assert automation.tick(minutes(4)) == {"3"}


def test_every_shard_is_asked_for_once_a_day(automation):
    everything = {str(shard) for shard in range(16)}
    assert automation.tick(NIGHT) == set()
    assert automation.tick(minutes(6 * 60 + 29)) == set()
    assert automation.tick(minutes(6 * 60 + 31)) == everything
    assert automation.tick(minutes(6 * 60 + 32)) == set()
    assert automation.tick(minutes(30 * 60 + 31)) == everything
