"""The signals that end ``wxyc up``: Ctrl-C, SIGTERM, and the hangup of a closed terminal."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequested(BaseException):
    """The operator, the terminal or the system asked for the end. Like KeyboardInterrupt it is no Exception."""


class StopSignals:
    """Whether the end was requested. The first signal counts, until ``ignore``: nothing interrupts the stopping."""

    def __init__(self) -> None:
        self.requested = False
        self._ignored = False
        self._deferred = False

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Raise at the end of the block what a signal asks for in it: a start of a process must not stop half-way."""
        self._deferred = True
        try:
            yield
        finally:
            self._deferred = False
        self.check()

    def ignore(self) -> None:
        """Let signals have no effect."""
        self._ignored = True

    def check(self) -> None:
        """Raise StopRequested if a signal has arrived: an exception is lost in code that Python runs on its own behalf."""
        if self.requested:
            raise StopRequested

    def received(self, _number: int, _frame: FrameType | None) -> None:
        """Raise StopRequested in the main thread, wherever it is."""
        first, self.requested = not self.requested, True
        if first and not self._ignored and not self._deferred:
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
