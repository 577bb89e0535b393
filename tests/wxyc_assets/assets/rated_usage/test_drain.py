import queue
import threading

import psycopg
import pytest

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.drain import HourDrain, Work
from wxyc_assets.assets.rated_usage.pricing import Pricing
from wxyc_assets.assets.rated_usage.wait_budget import WaitBudget
from wxyc_assets.runs.lanes import run_lanes
from wxyc_assets.runs.partitions import hour_key


@pytest.fixture
def work(billing):
    """The shared state of the lanes of a run over twelve hours with one event each."""
    billing.add(*(event(event_ts=TEN + place * HOUR) for place in range(12)))
    hours: queue.SimpleQueue[str] = queue.SimpleQueue()
    for place in range(12):
        hours.put(hour_key(TEN + place * HOUR))
    cause = store.Cause("run", "explicit", billing.book)
    stopping = threading.Event()
    log, pricing = billing.log("rater", "run"), Pricing(billing.book)
    return Work(billing.postgres, hours, cause, pricing, True, WaitBudget(1), log, billing.slept.append, stopping)


def rate(work, lanes=2):
    return run_lanes([HourDrain(work) for _ in range(lanes)], work.stopping)


@pytest.mark.parametrize("lanes", [1, 2, 5, 40])
def test_any_number_of_lanes_rates_every_hour_once(billing, work, lanes):
    outcomes = list(rate(work, lanes))
    assert sorted(outcome.hour for outcome in outcomes) == [hour_key(TEN + place * HOUR) for place in range(12)]
    assert len(billing.billed()) == len(billing.changes()) == 12


def test_a_lost_database_is_tried_once_per_lane_not_per_hour(work, monkeypatch):
    asked = []

    def gone(_postgres):
        asked.append(1)
        raise psycopg.OperationalError("no server")

    monkeypatch.setattr(store, "open_session", gone)
    outcomes = list(rate(work, 2))
    assert {outcome.reason for outcome in outcomes} == {"database: OperationalError: no server"}
    assert (len(outcomes), 1 <= len(asked) <= 2) == (12, True)


def lane_threads():
    return [thread for thread in threading.enumerate() if thread.name == "lane"]


def test_an_error_in_a_lane_is_raised_and_stops_all_lanes(work, monkeypatch):
    """A programming error is raised in the thread that collects the results."""

    def defective(*_arguments, **_options):
        raise RuntimeError("a defect")

    monkeypatch.setattr(store, "rate_hour", defective)
    with pytest.raises(RuntimeError, match="a defect"):
        list(rate(work))
    assert lane_threads() == []


def test_closed_lanes_stop_after_their_current_hour(billing, work, monkeypatch):
    """Each lane rates one hour freely; its next one waits until the run is being stopped."""
    rate_hour = store.rate_hour
    started: queue.SimpleQueue[None] = queue.SimpleQueue()

    def rate_later_hours_when_stopped(*arguments, **options):
        started.put(None)
        if started.qsize() > 2:
            assert work.stopping.wait(60)
        return rate_hour(*arguments, **options)

    monkeypatch.setattr(store, "rate_hour", rate_later_hours_when_stopped)
    outcomes = rate(work)
    next(outcomes)
    outcomes.close()
    assert lane_threads() == []
    assert 1 <= len(billing.billed()) <= 4
