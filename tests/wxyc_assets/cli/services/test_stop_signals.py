"""The signals that end ``wxyc up``."""

import os
import signal

import pytest

from wxyc_assets.cli.services.stop_signals import StopRequested, stop_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_the_block_and_later_ones_do_not(number):
    before = signal.getsignal(number)
    with stop_signals() as signals:
        signals.check()
        with pytest.raises(StopRequested):
            os.kill(os.getpid(), number)
        with pytest.raises(StopRequested):
            signals.check()
        os.kill(os.getpid(), number)
        signals.ignore()
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


def test_signal_in_a_deferred_block_raises_at_its_end():
    """As one that arrives while a process is started, which the end must know of."""
    finished: list[bool] = []

    def start() -> None:
        with signals.deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            finished.append(True)

    with stop_signals() as signals:
        with pytest.raises(StopRequested):
            start()
        assert finished


def test_hangup_that_the_starter_ignores_stays_ignored():
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with stop_signals() as signals:
        os.kill(os.getpid(), signal.SIGHUP)
        signals.check()
    signal.signal(signal.SIGHUP, before)
