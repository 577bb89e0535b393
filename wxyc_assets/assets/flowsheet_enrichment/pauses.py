"""Keeps out of the way of a live DJ: waits between chunks while somebody plays, up to a ceiling."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from resources.step_log import StepLog

PAUSE_S = 30.0
"""How long one pause takes before the flowsheet is looked at again. Source: contract, "Live-activity wait"."""

CEILING_S = 1800.0
"""How long a run waits for quiet, all pauses together: a station that plays round the clock must be enriched too."""


@dataclass
class Pauses:
    """The pauses of one run.

    ``live`` tells whether a DJ played within ``lookback_s`` (seconds; 0: nobody asks). ``tell`` hears of each pause in a
    sentence, for the page of the run. Once the ceiling is reached the run goes on, one chunk at a time, and says so once.
    """

    live: Callable[[], bool]
    lookback_s: int
    log: StepLog
    tell: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    ceiling_s: float = CEILING_S
    paused_s: float = field(default=0.0, init=False)
    _exceeded: bool = field(default=False, init=False)

    def wait(self) -> int:
        """Return, in milliseconds, how long it paused until nobody was live, or until the run may not wait any longer."""
        before_s = self.paused_s
        while self.lookback_s > 0 and not self._exceeded and self.live():
            if self.paused_s >= self.ceiling_s:
                self._exceed()
            else:
                self._pause(min(PAUSE_S, self.ceiling_s - self.paused_s))
        return round((self.paused_s - before_s) * 1000)

    def _pause(self, pause_s: float) -> None:
        self.log.info("live_activity_pause", lookback_seconds=self.lookback_s, pause_ms=round(pause_s * 1000))
        self.tell(f"a DJ is live: waiting {pause_s:g} s ({self.paused_s:g} s waited so far)")
        self.sleep(pause_s)
        self.paused_s += pause_s

    def _exceed(self) -> None:
        self._exceeded = True
        paused_ms = round(self.paused_s * 1000)
        self.log.warning("live_activity_pause_ceiling_exceeded", lookback_seconds=self.lookback_s, paused_ms=paused_ms)
        self.tell(f"a DJ is still live after {self.paused_s:g} s of waiting: going on, one chunk at a time")
