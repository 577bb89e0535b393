"""How often a run looks at LML's health, and how long it pauses."""

from typing import Any

import pytest

from resources.lml.errors import LmlUnreachable
from resources.lml.models import Health
from tests.run_harness import RecordedProgress
from wxyc_assets.runs.breaker_watch import BreakerOpenError, BreakerWatch


class Station:
    """LML's health, a clock, and a log; ``looks`` are the instants at which health was read."""

    def __init__(self, state):
        self.state = state
        self.now_s = 100.0
        self.looks = []
        self.warnings = []
        self.progress = RecordedProgress()
        log: Any = self
        self.watch = BreakerWatch(self, log, self.progress, sleep=self.sleep, clock=lambda: self.now_s)

    def health(self):
        self.looks.append(self.now_s)
        if self.state == "unreachable":
            raise LmlUnreachable("no connection")
        return Health.model_validate({"status": "healthy", "discogs_breaker_state": self.state})

    def warning(self, step, **fields):
        self.warnings.append((step, fields))

    def sleep(self, seconds):
        self.now_s += seconds


@pytest.mark.parametrize(("state", "holds_s"), [("closed", 1), (None, 30), ("unreachable", 30), ("ajar", 30)])
def test_look_holds_for_a_while_and_lets_the_run_go_on(state, holds_s):
    station = Station(state)
    station.watch.wait()
    station.now_s += holds_s - 0.25
    station.watch.wait()
    assert len(station.looks) == 1
    station.now_s += 0.5
    station.watch.wait()
    assert len(station.looks) == 2
    assert station.warnings == []


def test_answer_is_judged_by_a_look_after_it():
    station = Station("closed")
    station.watch.wait()
    station.now_s += 0.01
    station.state = "open"
    assert station.watch.is_open(station.now_s)
    station.state = "closed"
    assert station.watch.is_open(station.now_s)  # the look at an open breaker holds half a minute


@pytest.mark.parametrize("state", ["open", "half_open"])
def test_looks_are_half_a_minute_apart_while_it_is_open(state):
    """A caller that asks between two looks gets the result of the last one."""
    station = Station(state)
    assert station.watch.is_open(station.now_s)
    for _ in range(5):
        station.now_s += 5.75
        assert station.watch.is_open(station.now_s)
    assert station.looks == [100]
    with pytest.raises(BreakerOpenError, match="30 minutes"):
        station.watch.wait()
    assert min(later - earlier for earlier, later in zip(station.looks, station.looks[1:], strict=False)) >= 30
    assert [step for step, _ in station.warnings] == ["breaker_pause"] * 60


def test_run_that_gave_up_does_not_wait_again():
    station = Station("open")
    for _ in range(2):
        with pytest.raises(BreakerOpenError):
            station.watch.wait()
    assert station.now_s == 1900


def test_each_outage_has_its_own_half_hour():
    station = Station("open")
    outages: list[float] = []

    def sleep(seconds):
        station.now_s += seconds
        station.state = "closed" if station.now_s - outages[-1] >= 1500 else "open"

    station.watch.sleep = sleep
    for _ in range(3):
        outages.append(station.now_s)
        station.state = "open"
        station.watch.wait()
        station.now_s += 2
    assert len(station.warnings) == 150


def test_one_look_serves_all_answers_before_it():
    station = Station("closed")
    assert [station.watch.is_open(arrived_s) for arrived_s in (99.0, 99.5, 98.0)] == [False] * 3
    assert station.looks == [100]
