import queue
import threading

import psycopg
import pytest

from tests.wxyc_assets.rated_usage.billing import HOUR, TEN, event
from wxyc_assets.rated_usage import store
from wxyc_assets.rated_usage.lanes import run_lanes
from wxyc_assets.rated_usage.patience import Patience
from wxyc_assets.rated_usage.rater import Work
from wxyc_assets.rated_usage.windows import key


@pytest.fixture
def work(billing):
    """What the lanes of a run over twelve hours, with an event each, share."""
    billing.add(*(event(event_ts=TEN + place * HOUR) for place in range(12)))
    hours = queue.SimpleQueue()
    for place in range(12):
        hours.put(key(TEN + place * HOUR))
    cause = store.Cause("run", "explicit", billing.book)
    stopping = threading.Event()
    return Work(
        billing.postgres, hours, cause, True, Patience(1), billing.log("rater", "run"), billing.slept.append, stopping
    )


@pytest.mark.parametrize("lanes", [1, 2, 5, 40])
def test_every_hour_is_rated_once_by_any_number_of_lanes(billing, work, lanes):
    outcomes = list(run_lanes(work, lanes))
    assert sorted(outcome.hour for outcome in outcomes) == [key(TEN + place * HOUR) for place in range(12)]
    assert len(billing.billed()) == len(billing.changes()) == 12


def test_a_database_that_is_gone_is_asked_once_a_lane_and_not_once_an_hour(work, monkeypatch):
    asked = []

    def gone(_postgres):
        asked.append(1)
        raise psycopg.OperationalError("nobody there")

    monkeypatch.setattr(store, "open_session", gone)
    outcomes = list(run_lanes(work, 2))
    assert {outcome.reason for outcome in outcomes} == {"database: OperationalError: nobody there"}
    assert (len(outcomes), 1 <= len(asked) <= 2) == (12, True)


def at_work():
    return [thread for thread in threading.enumerate() if thread.name == "lane"]


def test_a_defect_in_a_lane_is_raised_where_it_is_waited_for_and_the_others_stop(work, monkeypatch):
    def defective(*_arguments, **_options):
        raise RuntimeError("a defect")

    monkeypatch.setattr(store, "rate_hour", defective)
    with pytest.raises(RuntimeError, match="a defect"):
        list(run_lanes(work))
    assert at_work() == []


def test_lanes_that_nobody_listens_to_any_more_stop_after_the_hour_they_are_at(billing, work):
    outcomes = run_lanes(work)
    next(outcomes)
    outcomes.close()
    assert at_work() == []
    assert 1 <= len(billing.billed()) <= 4
