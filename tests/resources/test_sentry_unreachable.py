"""A Sentry that hangs, is down or fails costs a run one timeout and raises nothing."""

import socket
import time
from dataclasses import replace

from sentry_sdk.transport import Transport

from resources import sentry as sentry_module
from resources.sentry import HANDOVER_S, open_sentry
from tests.resources.sentry_collector import AMPLE_S, CONFIG, raised


class FakeTime:
    """The two functions of ``time`` that a flush uses."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def test_a_server_that_hangs_costs_a_run_one_flush_timeout(sentry, monkeypatch):
    clock, timeouts = FakeTime(), []

    def hang(timeout: float) -> None:
        timeouts.append(timeout)
        clock.now += timeout

    monkeypatch.setattr(sentry_module, "time", clock)
    monkeypatch.setattr(sentry._client, "flush", hang)
    for _ in range(5):
        sentry.flush(0.5)
    sentry.close(0.5)
    assert timeouts == [0.5] + [0.01] * 5
    assert clock.slept == [HANDOVER_S] * 6


def test_a_server_that_answers_costs_no_flush_its_timeout(sentry, monkeypatch):
    timeouts: list[float] = []

    def answer(timeout: float) -> None:
        timeouts.append(timeout)

    monkeypatch.setattr(sentry_module, "time", FakeTime())
    monkeypatch.setattr(sentry._client, "flush", answer)
    for _ in range(3):
        sentry.flush(0.5)
    assert timeouts == [0.5] * 3


def test_a_server_that_hangs_stops_no_report_and_raises_nothing():
    """It accepts the connection and never answers, so that a report which waits for an answer would not return."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        sentry = open_sentry(replace(CONFIG, dsn=f"http://public@127.0.0.1:{silent.getsockname()[1]}/42"))
        for _ in range(200):  # more than the SDK queues
            with sentry.span("run", op="x"):
                sentry.message("m", fingerprint=["m"])
        sentry.close(0.5)


def test_a_server_that_is_down_costs_no_flush_its_timeout(capfd):
    """Nothing is raised and nothing is printed."""
    sentry = open_sentry(replace(CONFIG, dsn="http://public@127.0.0.1:9/42"))
    sentry.error(raised(ValueError("no")), step="x")
    started = time.monotonic()
    sentry.close(AMPLE_S)
    assert time.monotonic() - started < AMPLE_S / 2
    assert capfd.readouterr() == ("", "")


def test_a_transport_that_fails_does_not_reach_the_run():
    class Broken(Transport):
        def capture_envelope(self, *_):
            raise RuntimeError("broken")

        def flush(self, *_):
            raise RuntimeError("broken")

    sentry = open_sentry(CONFIG, transport=Broken)
    with sentry.span("run", op="x"):
        sentry.error(raised(ValueError("no")), step="x")
    sentry.message("m", fingerprint=["m"])
    sentry.flush()
    sentry.close()
