"""``wxyc budget``: what was used, who waits, and when it would be done."""

from datetime import UTC, datetime, timedelta

import pytest

from resources.budget import PostgresBudget
from wxyc_assets.runs.advisory_locks import run_locks

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture
def budget(station):
    opened = PostgresBudget(station.open, per_minute=30)
    yield opened
    opened.close()


def began(station, run_id, asset, calls_left):
    with station.connect() as connection:
        connection.execute(
            "INSERT INTO wxyc_assets.run (run_id, asset, origin, discogs_calls_left) VALUES (%s, %s, 'explicit', %s)",
            [run_id, asset, calls_left],
        )


def test_idle_budget_has_no_queue(wxyc, at_station):
    finished = wxyc("budget", **at_station)
    assert finished.exit_code == 0
    printed = finished.printed
    assert (printed["used_last_minute"], printed["reserved_ahead"], printed["queue"]) == (0, 0, [])
    assert (printed["done_at"], printed["blocked_until"]) == (None, None)
    assert (printed["discogs_calls_per_min"], printed["discogs_cap_per_min"]) == (30, 50)
    assert "no run waits for it" in finished.stderr


def test_budget_shows_use_reservations_queue_and_forecast(wxyc, at_station, station, budget):
    budget.reserve(4)
    budget.reserve(20)
    began(station, "alive", "album_metadata", 300)
    began(station, "killed", "rotation_cache", 900)  # its lock is free
    began(station, "other", "library_identity", None)
    with run_locks(station, "alive"), run_locks(station, "other"):
        finished = wxyc("budget", **at_station)
    printed = finished.printed
    assert (printed["used_last_minute"], printed["reserved_ahead"]) == (4, 20)
    assert printed["queue"] == [{"run_id": "alive", "asset": "album_metadata", "discogs_calls_left": 300}]
    left = datetime.fromisoformat(printed["done_at"]) - datetime.fromisoformat(printed["free_at"])
    assert left == timedelta(minutes=10)
    assert "waiting: album_metadata, about 300 calls left (run alive)" in finished.stderr
    assert "done about " in finished.stderr  # no bound: calls that do not fill a minute exactly leave some of it unused


def test_penalty_of_lml_is_shown_as_blocked_until(wxyc, at_station, budget):
    budget.block(100)
    finished = wxyc("budget", **at_station)
    assert finished.printed["blocked_until"] == finished.printed["free_at"]
    assert "LML asked its clients to wait until" in finished.stderr


def test_budget_above_the_cap_of_lml_is_a_warning(wxyc, at_station):
    settings = {**at_station, "LML_DISCOGS_BUDGET_PER_MIN": "51"}
    assert "LML_DISCOGS_BUDGET_PER_MIN is 51" in wxyc("budget", **settings).stderr
    doctor = wxyc("doctor", **settings)
    assert doctor.exit_code == 0
    assert "LML_DISCOGS_BUDGET_PER_MIN is 51" in doctor.stderr


def test_bad_budget_setting_is_named(wxyc, at_station):
    finished = wxyc("budget", **{**at_station, "LML_DISCOGS_BUDGET_PER_MIN": "0"})
    assert finished.exit_code == 1
    assert "LML_DISCOGS_BUDGET_PER_MIN" in finished.printed["error"]
