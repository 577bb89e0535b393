"""A pass gives way to a live DJ, up to half an hour, and says so."""

import io
import json

import pytest

from resources.step_log import step_log
from wxyc_assets.flowsheet_enrichment.pauses import CEILING_S, PAUSE_S, Pauses


class Station:
    """A DJ who is live for so many seconds of a clock that only sleeping moves; counts how often it is looked at."""

    def __init__(self, live_s):
        self.live_s, self.now_s, self.looks, self.slept = live_s, 0.0, 0, []
        self.stream, self.told = io.StringIO(), []

    def live(self):
        self.looks += 1
        return self.now_s < self.live_s

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now_s += seconds

    def pauses(self, lookback_s=300, **options):
        log = step_log(tool="t", run_id="r", human=False, stream=self.stream)
        return Pauses(self.live, lookback_s, log, self.told.append, self.sleep, **options)

    def lines(self, step):
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["step"] == step]


def test_nobody_live_costs_one_look_and_no_pause():
    station = Station(0)
    assert station.pauses().wait() == 0
    assert (station.looks, station.slept, station.told) == (1, [], [])


def test_a_live_dj_is_waited_for_in_pauses_of_30_seconds_each_of_them_told():
    station = Station(70)
    assert station.pauses().wait() == 90_000
    assert station.slept == [PAUSE_S] * 3
    lines = station.lines("live_activity_pause")
    assert [(line["level"], line["lookback_seconds"], line["pause_ms"]) for line in lines] == [
        ("info", 300, 30_000)
    ] * 3
    assert len(station.told) == 3
    assert "30 s" in station.told[0]


@pytest.mark.parametrize("lookback_s", [0])
def test_a_lookback_of_zero_never_looks(lookback_s):
    station = Station(10**6)
    assert station.pauses(lookback_s).wait() == 0
    assert station.looks == 0


def test_the_pauses_of_a_run_add_up_to_half_an_hour_and_then_it_goes_on_with_one_warning():
    station = Station(10**6)
    pauses = station.pauses()
    assert pauses.wait() == 1_800_000 == CEILING_S * 1000
    assert [pauses.wait() for _ in range(5)] == [0] * 5
    assert sum(station.slept) == 1800
    (warning,) = station.lines("live_activity_pause_ceiling_exceeded")
    assert (warning["level"], warning["lookback_seconds"], warning["paused_ms"]) == ("warn", 300, 1_800_000)
    assert "one chunk at a time" in station.told[-1]


def test_the_last_pause_is_cut_to_the_ceiling_and_quiet_at_the_ceiling_needs_no_warning():
    station = Station(100)
    pauses = station.pauses(ceiling_s=100)
    assert pauses.wait() == 100_000
    assert station.slept == [30, 30, 30, 10]
    assert pauses.wait() == 0
    assert station.lines("live_activity_pause_ceiling_exceeded") == []


def test_each_wait_returns_its_own_share():
    station = Station(30)
    pauses = station.pauses()
    assert pauses.wait() == 30_000
    station.live_s = 90
    assert pauses.wait() == 60_000
    assert pauses.paused_s == 90
