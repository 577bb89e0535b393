"""The state of the station as a JSON object and as lines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wxyc_assets.assets.registry import ASSETS
from wxyc_assets.cli.alerts_view import AlertsView
from wxyc_assets.cli.budget_view import BudgetView
from wxyc_assets.cli.status_view import MAX_NAMED, RunningRun, StatusView, read_status
from wxyc_assets.database.sessions import Sessions
from wxyc_assets.monitoring.alerts.queries import SensorHeartbeat
from wxyc_assets.monitoring.partition_status.rules import AssetStatus
from wxyc_assets.runs.advisory_locks import run_locks

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ALBUMS = AssetStatus(
    "album_metadata",
    NOW,
    {"0": "fresh", "1": "late", "2": "failed", "3": "never_built", "4": "failed"},
    last_good=("r-1", NOW - timedelta(hours=5)),
    waiting_since=NOW - timedelta(days=3),
)
CACHE = AssetStatus("rotation_cache", NOW, {"": "never_built"})
VIEW = StatusView(
    assets=[ALBUMS, CACHE],
    alerts=AlertsView([], SensorHeartbeat(NOW, 20.0, None), has_sentry=True),
    budget=BudgetView(NOW, 30, 0, 0, NOW, None, []),
    running=[RunningRun("r-2", "rotation_cache", 7300.0)],
)


def test_json_counts_and_names_the_partitions_of_each_asset():
    printed = VIEW.as_json()
    assert list(printed) == ["at", "assets", "alerts", "at_work", "budget", "billing_problem", "push_needed"]
    assert printed["assets"]["album_metadata"] == {
        "partitions": {"fresh": 1, "late": 1, "failed": 2, "never_built": 1},
        "late": ["1"],
        "failed": ["2", "4"],
        "last_good_run": "r-1",
        "last_good_at": "2026-11-22T07:00:00+00:00",
        "last_good_age_s": 18000.0,
        "waiting_since": "2026-11-19T12:00:00+00:00",
        "waiting_s": 259200.0,
        "waiting_is": "play whose album has no metadata and may be looked up",
        "open_alerts": 0,
    }
    assert printed["at_work"] == [{"run_id": "r-2", "asset": "rotation_cache", "age_s": 7300.0}]


def test_an_asset_for_which_nothing_waits_says_so():
    asset = VIEW.as_json()["assets"]["rotation_cache"]
    assert (asset["waiting_is"], asset["waiting_since"], asset["last_good_run"]) == ("cache of today", None, None)


def test_lines_are_one_row_per_asset_then_alerts_runs_and_budget():
    header, albums, cache, *legend, alerts, running = list(VIEW.lines())[:9]
    budget = list(VIEW.lines())[9:]
    assert header.split() == [
        *["asset", "fresh", "late", "failed", "never", "last", "good", "run", "oldest", "waiting", "alerts"]
    ]
    assert albums.split() == ["album_metadata", "1", "1", "2", "1", "5", "h", "ago", "3", "d", "0"]
    assert cache.split() == ["rotation_cache", "0", "0", "0", "1", "never", "-", "0"]
    assert len({len(line.rstrip()) for line in (header, albums, cache)}) == 1, "columns are aligned"
    explained = {name.strip() for line in legend for name in line.split(":")[0].split(",")}
    assert explained == {"fresh", "late", "failed", "never", "last good run", "oldest waiting", "alerts"}
    assert alerts == "alerts: no open alert"
    assert running == "running: rotation_cache for 2 h (run r-2)"
    assert all(line.startswith("budget: ") for line in budget)
    assert "running: no run" in list(replace(VIEW, running=[]).lines())


def test_at_most_fifty_partitions_are_named_and_all_are_counted():
    hours = replace(ALBUMS, states={str(hour): "late" for hour in range(MAX_NAMED + 7)})
    asset = replace(VIEW, assets=[hours]).as_json()["assets"]["album_metadata"]
    assert (len(asset["late"]), asset["partitions"]["late"]) == (50, 57)


@pytest.fixture
def _no_settings(monkeypatch):
    for name in ("LML_DISCOGS_BUDGET_PER_MIN", "SENTRY_DSN", "STALE_THRESHOLD_DAYS", "RATE_TRAILING_HOURS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_settings")
def test_status_is_read_from_the_database(station):
    with station.connect() as connection, run_locks(station, "alive"):
        connection.execute(
            "INSERT INTO wxyc_assets.run (run_id, asset, origin, started_at) VALUES "
            "('alive', 'album_metadata', 'explicit', now() - interval '3 hours'), ('killed', 'rated_usage', 'routine', now())"
        )
        view = read_status(Sessions(connection, connection))
    assert [status.asset for status in view.assets] == [info.name for info in ASSETS]
    ((run_id, age_s),) = [(run.run_id, run.age_s) for run in view.running]
    assert run_id == "alive"
    assert 10800 <= age_s < 11400
    assert (view.alerts.has_sentry, view.budget.per_minute) == (False, 30)
