"""Ends a command on SIGTERM and on the hangup of a closed terminal as Ctrl-C does: in order, with what is committed kept."""

import os
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

STREAMS = (0, 1, 2)
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def as_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do in the block what SIGINT does at that moment. One that the starter ignores stays ignored.

    A hangup that is ignored is nohup's. Dagster maps SIGTERM to SIGINT while it executes a run, and does not know SIGHUP.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    stop = _Stop(_terminals())
    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    handlers = {number: signal.signal(number, stop.received) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def not_lost() -> Iterator[None]:
    """Raise KeyboardInterrupt after the block if a stop was requested in it, whatever the block made of that.

    Dagster records an interrupted run and raises nothing, and forgets a signal that arrives at the end of a run.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(before)
        with suppress(BlockingIOError):  # no signal has arrived
            if set(reader.recv(4096)) & set(STOPS):
                raise KeyboardInterrupt


class _Stop:
    """The handler. The first signal counts: the kernel and the shell both send a hangup, and nothing interrupts the end."""

    def __init__(self, terminals: frozenset[int]) -> None:
        self._terminals = terminals
        self._requested = False

    def received(self, number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            _leave(self._terminals)
        if self._requested:
            return
        self._requested = True
        handler = signal.getsignal(signal.SIGINT)
        if not callable(handler):  # a background job of a script ignores SIGINT
            raise KeyboardInterrupt
        handler(signal.SIGINT, frame)


def _terminals() -> frozenset[int]:
    """Return the devices of the terminals on which this command was started."""
    return frozenset(os.fstat(stream).st_rdev for stream in STREAMS if os.isatty(stream))


def _leave(terminals: frozenset[int]) -> None:
    """Point every descriptor of a terminal that was closed at nothing: each further write to it would fail."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in [int(entry.name) for entry in Path("/dev/fd").iterdir()]:
        with suppress(OSError):  # the listing's own
            status = os.fstat(descriptor)
            if stat.S_ISCHR(status.st_mode) and status.st_rdev in terminals and not os.isatty(descriptor):
                os.dup2(nowhere, descriptor, inheritable=os.get_inheritable(descriptor))
    os.close(nowhere)
