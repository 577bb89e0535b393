"""Lanes work side by side, end when the caller closes the iterator, and raise their defects in the caller's thread."""

import threading
from contextlib import closing

import pytest

from wxyc_assets.runs import lanes as lanes_module
from wxyc_assets.runs.lanes import run_lanes


class ListedLane:
    """A lane that yields its units one after the other, each after ``each`` has been called with it."""

    def __init__(self, units, stopping, each=lambda _unit: None):
        self.units, self.stopping, self.each = units, stopping, each
        self.cancelled = threading.Event()

    def run(self):
        for unit in self.units:
            if self.stopping.is_set():
                return
            self.each(unit)
            yield unit

    def cancel(self):
        self.cancelled.set()


def lane_threads():
    return [thread for thread in threading.enumerate() if thread.name == "lane"]


@pytest.fixture
def stopping():
    return threading.Event()


def test_every_result_is_yielded_once_from_threads_of_their_own(stopping):
    threads = {}

    def note(unit):
        threads[unit] = threading.get_ident()

    lanes = [ListedLane(range(first, 6, 2), stopping, note) for first in range(2)]
    assert sorted(run_lanes(lanes, stopping)) == list(range(6))
    assert len({threads[0], threads[2], threads[4]}) == 1
    assert len({threads[1], threads[3], threads[5]}) == 1
    assert lane_threads() == []


def test_no_lane_yields_nothing(stopping):
    assert list(run_lanes([], stopping)) == []


def test_defect_of_a_lane_is_raised_and_the_other_stops(stopping):
    def fail_or_wait(unit):
        if unit == 1:
            raise ZeroDivisionError
        stopping.wait(60)

    lanes = [ListedLane([0, 2], stopping, fail_or_wait), ListedLane([1], stopping, fail_or_wait)]
    with pytest.raises(ZeroDivisionError), closing(run_lanes(lanes, stopping)) as results:
        list(results)
    assert stopping.is_set()
    assert lane_threads() == []


def test_closing_stops_lanes_after_their_current_unit(stopping):
    started = []
    go_on = threading.Semaphore(0)

    def wait_for_turn(unit):
        started.append(unit)
        go_on.acquire(timeout=60)

    lanes = [ListedLane(range(1000), stopping, wait_for_turn)]
    with closing(run_lanes(lanes, stopping)) as results:
        go_on.release()
        next(results)
        stopping.set()  # as closing does, before the lane goes on: whether it starts one more unit is a race
        go_on.release()
    assert len(started) <= 2
    assert lane_threads() == []


def test_lane_that_does_not_stop_is_cancelled_after_grace(stopping, monkeypatch):
    monkeypatch.setattr(lanes_module, "STOP_GRACE_S", 0.05)
    stuck = threading.Event()

    def wait_for_cancel(unit):
        if unit == 1:
            stuck.set()
            assert lane.cancelled.wait(60)

    lane = ListedLane([0, 1], stopping, wait_for_cancel)
    with closing(run_lanes([lane], stopping)) as results:
        next(results)
        assert stuck.wait(60)
    assert lane.cancelled.is_set()
    assert lane_threads() == []


def test_lanes_see_the_context_of_the_caller(stopping):
    import contextvars

    span: contextvars.ContextVar[str] = contextvars.ContextVar("span")
    span.set("run")
    seen = []
    assert list(run_lanes([ListedLane([0], stopping, lambda _unit: seen.append(span.get()))], stopping)) == [0]
    assert seen == ["run"]
