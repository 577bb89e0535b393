"""A whole prune: what a dry run counts, what an interruption leaves, and what users see before and after."""

import itertools
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.processes import ROOT
from tests.waiting import wait_for
from wxyc_assets.database.sessions import open_sessions
from wxyc_assets.monitoring.alerts.queries import select_alerts
from wxyc_assets.monitoring.partition_status.station import asset_statuses
from wxyc_assets.retention import dagster_storage
from wxyc_assets.retention.dagster_storage import DagsterStorage, storage_session
from wxyc_assets.retention.prune import PruneError, prune
from wxyc_assets.runs.advisory_locks import Locks, lock_session
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings, RatingSettings


@pytest.fixture
def grown(storages):
    """Old runs of every end, an open alert and closed ones, and old rows of our schema."""
    runs = [storages.runs.run(0, 15, fails=["of_shards"], attributed=["3"])]
    runs += [
        storages.runs.run(0, 7),
        storages.runs.run(8, 15, fails=["of_it_all"]),
        storages.runs.run(2, 2, misses=["2"]),
    ]
    runs += [storages.runs.run(4, 5) for _ in range(3)]
    storages.runs.run(6, 6)
    storages.runs.ingest()
    storages.age(*runs)
    storages.station_rows(
        "UPDATE wxyc_assets.alert SET closed_at = now() - interval '95 days' WHERE closed_at IS NOT NULL"
    )
    storages.station_rows(
        "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters, complete, updated_at) "
        "SELECT 'album_metadata', s::text, r || ' ' || s, '{}', true, now() - (200 + r) * interval '1 day' "
        "FROM generate_series(0, 3) s, generate_series(0, 9) r"
    )
    storages.station_rows(
        "INSERT INTO wxyc_assets.run (run_id, asset, origin, started_at, ended_at, verdict) "
        "SELECT r || ' ' || s, 'album_metadata', 'routine', t, t, 'done' FROM generate_series(0, 3) s, "
        "generate_series(0, 9) r, LATERAL (SELECT now() - (200 + r) * interval '1 day' AS t) a"
    )
    return storages


def users_see(storages):
    """What Dagster, ``wxyc status`` and ``wxyc alerts`` show."""
    with open_sessions(storages.station, storages.station) as sessions:
        statuses = asset_statuses(sessions, IdentitySettings(), FlowsheetSettings(), RatingSettings())
        alerts = select_alerts(sessions.station, timedelta(days=7))
    return storages.shown(), [(one.asset, one.states, one.late_since, one.last_good) for one in statuses], alerts


def test_users_see_the_same_before_and_after(grown):
    before = users_see(grown)
    assert [one.source for one in before[2]] == ["made_up"]
    removed = grown.counts()
    assert removed.keys() == {
        *("runs", "events", "check_evaluations", "run_logs"),
        *("alerts", "tallies", "ledger_runs", "read_runs"),
    }
    assert users_see(grown) == before


def test_a_dry_run_counts_exactly_what_a_prune_removes(grown):
    before = grown.stored()
    counted = grown.prune(dry_run=True)
    assert grown.stored() == before
    done = grown.prune()
    assert counted.removed == done.removed
    assert sum(one.size for one in done.removed) > 10_000
    after = grown.stored()
    rows = {one.kind: one.count for one in done.removed}
    for kind, table in (
        ("runs", "runs"), ("events", "event_logs"), ("check_evaluations", "asset_check_executions"),
        ("alerts", "ours.alert"), ("tallies", "ours.tally"), ("ledger_runs", "ours.run"), ("read_runs", "ours.heard_run"),
    ):  # fmt: skip
        assert rows[kind] == len(before[table]) - len(after[table]) > 0, kind


def test_a_second_prune_removes_nothing(grown):
    grown.prune()
    left = grown.stored()
    assert grown.counts(dry_run=True) == {}
    assert grown.counts() == {}
    assert grown.stored() == left


def test_small_batches_remove_the_same(grown, monkeypatch):
    whole = grown.prune(dry_run=True)
    monkeypatch.setattr(dagster_storage, "RUNS_AT_ONCE", 2)
    monkeypatch.setattr(dagster_storage, "ROWS_AT_ONCE", 1)
    assert grown.prune().removed == whole.removed


def test_a_prune_that_stops_after_any_step_is_completed(grown, monkeypatch):
    """Each item of the generator is one step of the work; whichever was the last, users see the same, and the next goes on."""
    monkeypatch.setattr(dagster_storage, "RUNS_AT_ONCE", 2)
    before, cutoff = users_see(grown), grown.prune(dry_run=True).before
    for steps in itertools.count(1, 4):
        with storage_session(grown.instance) as session, grown.station.connect() as outbox:
            work = DagsterStorage(grown.instance, session, outbox, cutoff, dry_run=False).prune()
            done = list(itertools.islice(work, steps))
        assert users_see(grown) == before
        if len(done) < steps:
            break
    assert steps > 10
    assert grown.counts().keys() == {"alerts", "tallies", "ledger_runs"}
    assert grown.counts() == {}
    assert users_see(grown) == before


def test_a_run_whose_events_are_gone_is_removed_the_next_time(grown, monkeypatch):
    """The process ended between the two."""
    before = users_see(grown)
    with monkeypatch.context() as broken:
        broken.setattr(type(grown.instance), "delete_run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            grown.prune()
    assert grown.counts()["runs"] > 0
    assert grown.counts() == {}
    assert users_see(grown) == before


def test_a_killed_prune_is_completed_by_the_next(grown):
    """A lock stops it at the alerts, after it removed runs, and kill -9 ends it there."""
    before = users_see(grown)
    with grown.station.connect() as holder, holder.transaction():
        holder.execute("SELECT FROM wxyc_assets.alert FOR UPDATE")
        program = [sys.executable, "-m", "tests.wxyc_assets.retention.prune_process"]
        process = subprocess.Popen([*program, grown.instance.root_directory, grown.station.dsn], cwd=ROOT)
        waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
        wait_for(lambda: grown.station_rows(waiting) == [(True,)], "prune at the lock")
        process.kill()
        assert process.wait() < 0
    wait_for(lambda: not _locked(grown), "release of the lock")
    removed = grown.counts()
    assert removed.keys() == {"alerts", "tallies", "ledger_runs"}
    assert grown.counts() == {}
    assert users_see(grown) == before


def _locked(storages):
    try:
        storages.prune(dry_run=True)
    except PruneError:
        return True
    return False


def test_only_one_process_prunes(grown):
    with lock_session(grown.station, "wxyc_assets prune") as lock:
        assert not Locks(lock).take(["prune"], wait_s=0)
        with pytest.raises(PruneError, match="is being pruned by wxyc_assets prune"):
            grown.prune()


def test_the_ledger_of_a_billing_database_is_pruned_too(grown, server, station_template):
    template = str(conninfo_to_dict(station_template)["dbname"])
    billing = replace(grown.station, dsn=server.create_database(template=template))
    with billing.connect() as connection:
        connection.execute("DROP TABLE wxyc_schema.library_identity, wxyc_schema.album_metadata CASCADE")
        connection.execute(
            "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters, complete, updated_at) "
            "SELECT 'rated_usage', '2026-01-02-03:00', r::text, '{}', true, now() - (100 + r) * interval '1 day' "
            "FROM generate_series(0, 9) r"
        )
    alone = {one.kind: one.count for one in grown.prune(dry_run=True).removed}
    both = {one.kind: one.count for one in grown.prune(dry_run=True, billing=billing).removed}
    assert both["tallies"] == alone["tallies"] + 9
    assert grown.prune(billing=billing).removed
    with billing.connect() as connection:
        assert connection.execute("SELECT run_id FROM wxyc_assets.tally").fetchall() == [("0",)]
    server.drop_database(billing.dsn)


def test_nothing_is_removed_while_billing_cannot_be_reached(grown):
    before = grown.stored()
    gone = replace(grown.station, dsn="postgresql://u@127.0.0.1:1/gone", setting="BILLING_DATABASE_URL")
    with pytest.raises(PruneError, match=r"nothing was removed: the database gone at .* cannot be reached"):
        grown.prune(billing=gone)
    assert grown.stored() == before


def test_another_storage_than_postgresql_is_refused(station):
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(TypeError, match="only a storage in PostgreSQL"):
        prune(instance, station, station, timedelta(days=90), dry_run=True)
