"""``wxyc budget``: what was used, who waits, and when it would be done."""

from datetime import UTC, datetime, timedelta

import pytest

from resources.budget import PostgresBudget
from wxyc_assets.cli.spending import Spending, Waiting
from wxyc_assets.single_flight import run_locks

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


def test_an_idle_budget_says_so(wxyc, at_station):
    finished = wxyc("budget", **at_station)
    assert finished.exit_code == 0
    printed = finished.printed
    assert (printed["used_last_minute"], printed["reserved_ahead"], printed["queue"]) == (0, 0, [])
    assert (printed["done_at"], printed["blocked_until"]) == (None, None)
    assert (printed["discogs_calls_per_min"], printed["discogs_cap_per_min"]) == (30, 50)
    assert "nothing waits for it" in finished.stderr


def test_what_is_used_and_reserved_and_who_waits_and_until_when(wxyc, at_station, station, budget):
    budget.reserve(4)
    budget.reserve(20)
    began(station, "alive", "album_metadata", 300)
    began(station, "killed", "rotation_cache", 900)  # nobody holds its lock
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


def test_a_penalty_is_shown_until_it_passes(wxyc, at_station, budget):
    budget.penalise(100)
    finished = wxyc("budget", **at_station)
    assert finished.printed["blocked_until"] == finished.printed["free_at"]
    assert "LML asked to be left alone until" in finished.stderr


def test_more_than_lml_can_do_is_allowed_with_a_warning(wxyc, at_station):
    settings = {**at_station, "LML_DISCOGS_BUDGET_PER_MIN": "51"}
    assert "LML_DISCOGS_BUDGET_PER_MIN is 51" in wxyc("budget", **settings).stderr
    doctor = wxyc("doctor", **settings)
    assert doctor.exit_code == 0
    assert "LML_DISCOGS_BUDGET_PER_MIN is 51" in doctor.stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"DATABASE_URL": "postgresql://x:secretpw@127.0.0.1:9/x"}, "cannot be reached"),
        ({"LML_DISCOGS_BUDGET_PER_MIN": "0"}, "LML_DISCOGS_BUDGET_PER_MIN"),
    ],
)
def test_what_stands_in_the_way_is_said_in_one_line(wxyc, at_station, change, says):
    finished = wxyc("budget", **{**at_station, **change})
    assert finished.exit_code == 1
    assert says in finished.printed["error"]
    assert "secretpw" not in finished.stdout + finished.stderr


def test_a_schema_that_is_not_there_names_the_command_that_makes_it(wxyc, at_station, database):
    finished = wxyc("budget", **{**at_station, "DATABASE_URL": database})
    assert (finished.exit_code, "wxyc migrate" in finished.printed["error"]) == (1, True)


def test_the_forecast_is_for_the_whole_queue_behind_what_is_reserved():
    queue = [Waiting("a", "album_metadata", 45), Waiting("b", "rotation_cache", 15)]
    seen = Spending(NOW, 30, 0, 10, NOW + timedelta(seconds=20), None, queue)
    assert seen.done_at == NOW + timedelta(minutes=2, seconds=20)
