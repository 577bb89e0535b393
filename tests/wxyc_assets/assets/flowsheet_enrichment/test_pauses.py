"""Pauses for a live DJ: their length, their ceiling and what they log."""

import io
import json

import pytest

from resources.step_log import step_log
from wxyc_assets.assets.flowsheet_enrichment.pauses import CEILING_S, PAUSE_S, Pauses


class LiveDj:
    """A DJ who is live for ``live_s`` seconds of a clock that only sleeps advance; ``reads`` counts the checks for one."""

    def __init__(self, live_s: float) -> None:
        self.live_s, self.now_s, self.reads = live_s, 0.0, 0
        self.slept: list[float] = []
        self.notifications: list[str] = []
        self.stream = io.StringIO()

    def is_live(self) -> bool:
        self.reads += 1
        return self.now_s < self.live_s

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now_s += seconds

    def pauses(self, lookback_s=300, **options):
        log = step_log(tool="t", run_id="r", stream=self.stream)
        return Pauses(self.is_live, lookback_s, log, self.notifications.append, self.sleep, **options)

    def lines(self, step):
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["step"] == step]


def test_no_live_dj_means_no_pause():
    dj = LiveDj(0)
    assert dj.pauses().wait() == 0
    assert (dj.reads, dj.slept, dj.notifications) == (1, [], [])


def test_each_pause_takes_30_seconds_and_is_logged_and_shown():
    dj = LiveDj(70)
    assert dj.pauses().wait() == 90_000
    assert dj.slept == [PAUSE_S] * 3
    lines = dj.lines("live_activity_pause")
    assert [(line["level"], line["lookback_seconds"], line["pause_ms"]) for line in lines] == [
        ("info", 300, 30_000)
    ] * 3
    assert len(dj.notifications) == 3
    assert "30 s" in dj.notifications[0]


@pytest.mark.parametrize("lookback_s", [0])
def test_lookback_of_zero_never_reads_the_flowsheet(lookback_s):
    dj = LiveDj(10**6)
    assert dj.pauses(lookback_s).wait() == 0
    assert dj.reads == 0


def test_pauses_end_after_half_an_hour_with_one_warning():
    dj = LiveDj(10**6)
    pauses = dj.pauses()
    assert pauses.wait() == 1_800_000 == CEILING_S * 1000
    assert [pauses.wait() for _ in range(5)] == [0] * 5
    assert sum(dj.slept) == 1800
    (warning,) = dj.lines("live_activity_pause_ceiling_exceeded")
    assert (warning["level"], warning["lookback_seconds"], warning["paused_ms"]) == ("warn", 300, 1_800_000)
    assert "one chunk at a time" in dj.notifications[-1]


def test_last_pause_is_cut_to_the_ceiling():
    """No warning is logged if no DJ is live when the ceiling is reached."""
    dj = LiveDj(100)
    pauses = dj.pauses(ceiling_s=100)
    assert pauses.wait() == 100_000
    assert dj.slept == [30, 30, 30, 10]
    assert pauses.wait() == 0
    assert dj.lines("live_activity_pause_ceiling_exceeded") == []


def test_each_wait_returns_its_own_pauses():
    dj = LiveDj(30)
    pauses = dj.pauses()
    assert pauses.wait() == 30_000
    dj.live_s = 90
    assert pauses.wait() == 60_000
    assert pauses.paused_s == 90
