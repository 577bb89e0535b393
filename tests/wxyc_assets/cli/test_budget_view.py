"""The budget as it is read from the database, as a JSON object and as lines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from resources.budget import PostgresBudget
from wxyc_assets.cli.budget_view import BudgetView, QueuedRun, read_budget
from wxyc_assets.runs.advisory_locks import run_locks

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
IDLE = BudgetView(NOW, 30, 0, 0, NOW, None, [])
QUEUE = [QueuedRun("a", "album_metadata", 45), QueuedRun("b", "rotation_cache", 15)]


def test_forecast_covers_the_whole_queue_after_reservations():
    view = BudgetView(NOW, 30, 0, 10, NOW + timedelta(seconds=20), None, QUEUE)
    assert view.done_at == NOW + timedelta(minutes=2, seconds=20)


def test_budget_without_a_queue_has_no_forecast():
    assert IDLE.done_at is None
    assert IDLE.as_json() == {
        "at": "2026-11-22T12:00:00+00:00",
        "discogs_calls_per_min": 30,
        "discogs_cap_per_min": 50,
        "used_last_minute": 0,
        "reserved_ahead": 0,
        "free_at": "2026-11-22T12:00:00+00:00",
        "blocked_until": None,
        "queue": [],
        "done_at": None,
    }
    assert IDLE.lines() == ["0 of 30 Discogs calls were used in the last minute", "no run waits for it"]


def test_lines_name_reservations_penalty_and_each_run():
    view = replace(IDLE, used_last_minute=7, reserved_ahead=2.5, blocked_until=NOW, queue=QUEUE)
    used, penalty, first, second, done = view.lines()
    assert used == "7 of 30 Discogs calls were used in the last minute, 2.5 more are reserved"
    assert penalty.startswith("LML asked its clients to wait until ")
    assert first == "waiting: album_metadata, about 45 calls left (run a)"
    assert second == "waiting: rotation_cache, about 15 calls left (run b)"
    assert done.startswith("done about ")
    assert view.as_json()["queue"][0] == {"run_id": "a", "asset": "album_metadata", "discogs_calls_left": 45}


def test_queue_has_living_runs_with_calls_left_in_their_order(station):
    runs = [("later", 5, 2), ("earlier", 9, 1), ("killed", 7, 3), ("done", 0, 4), ("other", None, 5)]
    with station.connect() as connection:
        for run_id, calls_left, minute in runs:
            connection.execute(
                "INSERT INTO wxyc_assets.run (run_id, asset, origin, discogs_calls_left, started_at) "
                "VALUES (%s, 'album_metadata', 'explicit', %s, %s)",
                [run_id, calls_left, NOW + timedelta(minutes=minute)],
            )
        alive = ["later", "earlier", "done", "other"]
        with run_locks(station, alive[0]), run_locks(station, alive[1]), run_locks(station, alive[2]):
            view = read_budget(connection, 30)
    assert [(run.run_id, run.discogs_calls_left) for run in view.queue] == [("earlier", 9), ("later", 5)]


def test_use_and_reservations_are_those_of_the_database(station):
    budget = PostgresBudget(station.open, per_minute=30)
    budget.reserve(4)
    budget.reserve(20)
    budget.close()
    with station.connect() as connection:
        view = read_budget(connection, 30)
    assert (view.used_last_minute, view.reserved_ahead, view.blocked_until) == (4, 20, None)
    assert view.free_at > view.at


def test_schema_without_a_budget_says_migrate(station):
    with station.connect() as connection:
        connection.execute("DELETE FROM wxyc_assets.budget")
        with pytest.raises(psycopg.DataError, match="wxyc migrate"):
            read_budget(connection, 30)
