"""SIGTERM and a hangup do what Ctrl-C does."""

import os
import pty
import signal

import pytest
from dagster._core.errors import DagsterExecutionInterruptedError, raise_execution_interrupts
from dagster._utils.interrupts import capture_interrupts

from wxyc_assets.cli.interrupts import _leave, as_ctrl_c, not_lost

STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture(autouse=True)
def default_ctrl_c():
    """What Python does with SIGINT, also in a background job of a script, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", STOPS)
def test_stop_is_a_keyboard_interrupt(number):
    before = signal.getsignal(number)
    with as_ctrl_c(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", STOPS)
def test_stop_interrupts_a_step_as_dagster_does_it(number):
    with (
        as_ctrl_c(),
        capture_interrupts(),
        raise_execution_interrupts(),
        pytest.raises(DagsterExecutionInterruptedError),
    ):
        os.kill(os.getpid(), number)


def test_second_hangup_interrupts_no_clean_up():
    """The kernel and the shell both send one."""
    with as_ctrl_c():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)


def test_ignored_hangup_stays_ignored():
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with as_ctrl_c(), not_lost():
        os.kill(os.getpid(), signal.SIGHUP)
    signal.signal(signal.SIGHUP, before)


def test_stop_counts_in_a_job_that_ignores_ctrl_c():
    """A background job of a script ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with as_ctrl_c(), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGHUP)
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", STOPS)
def test_stop_that_dagster_forgets_is_not_lost(number):
    """Dagster captures signals between the steps of a run, and forgets them at its end."""
    with pytest.raises(KeyboardInterrupt), as_ctrl_c(), not_lost(), capture_interrupts():
        os.kill(os.getpid(), number)


def test_only_a_closed_terminal_is_left():
    closed, its_end = pty.openpty()
    open_one, other_end = pty.openpty()
    terminals = frozenset(os.fstat(end).st_rdev for end in (its_end, other_end))
    os.close(closed)
    _leave(terminals)
    os.write(its_end, b"to nowhere")
    assert os.isatty(other_end)
    for descriptor in (its_end, open_one, other_end):
        os.close(descriptor)
