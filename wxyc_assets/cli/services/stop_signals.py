"""The signals that end ``wxyc up``: Ctrl-C, SIGTERM, and the hangup of a closed terminal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequested(BaseException):
    """The operator, the terminal or the system asked for the end. Like KeyboardInterrupt it is no Exception."""


class StopSignals:
    """Whether the end was requested. From ``ignore`` on, further signals have no effect: nothing interrupts the stopping."""

    def __init__(self) -> None:
        self.requested = False
        self._ignored = False

    def ignore(self) -> None:
        """Let further signals have no effect."""
        self._ignored = True

    def check(self) -> None:
        """Raise StopRequested if a signal has arrived: an exception is lost in code that Python runs on its own behalf."""
        if self.requested:
            raise StopRequested

    def received(self, _number: int, _frame: FrameType | None) -> None:
        """Raise StopRequested in the main thread, wherever it is."""
        self.requested = True
        if not self._ignored:
            raise StopRequested


@contextmanager
def stop_signals() -> Iterator[StopSignals]:
    """Let the signals raise StopRequested in the block. A hangup that the starter ignores (nohup) stays ignored."""
    signals = StopSignals()
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    handlers = {number: signal.signal(number, signals.received) for number in numbers}
    try:
        yield signals
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
