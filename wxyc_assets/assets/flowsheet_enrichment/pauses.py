"""Pauses between chunks while a DJ is live, up to a ceiling."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from resources.step_log import StepLog

PAUSE_S = 30.0
"""The length of one pause; then the run reads the flowsheet again. Source: contract, "Live-activity wait"."""

CEILING_S = 1800.0
"""The maximum of all pauses of a run together: a station that plays round the clock must be enriched too."""


@dataclass
class Pauses:
    """The pauses of one run.

    Once the ceiling is reached, the run continues one chunk at a time and logs that once.

    Attributes:
        is_live: returns whether a DJ played a track within the lookback.
        lookback_s: the lookback in seconds; 0: the run never pauses.
        log: of the run.
        notify: shows a sentence about each pause on the page of the run.
        sleep: waits for some seconds.
        ceiling_s: the maximum of all pauses together, in seconds.
    """

    is_live: Callable[[], bool]
    lookback_s: int
    log: StepLog
    notify: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    ceiling_s: float = CEILING_S
    paused_s: float = field(default=0.0, init=False)
    _exceeded: bool = field(default=False, init=False)

    def wait(self) -> int:
        """Pause until no DJ is live, or the ceiling is reached; return for how many milliseconds."""
        before_s = self.paused_s
        while self.lookback_s > 0 and not self._exceeded and self.is_live():
            if self.paused_s >= self.ceiling_s:
                self._exceed()
            else:
                self._pause(min(PAUSE_S, self.ceiling_s - self.paused_s))
        return round((self.paused_s - before_s) * 1000)

    def _pause(self, pause_s: float) -> None:
        says = f"a DJ is live: waiting {pause_s:g} s ({self.paused_s:g} s waited so far)"
        self.log.info(
            "live_activity_pause", message=says, lookback_seconds=self.lookback_s, pause_ms=round(pause_s * 1000)
        )
        self.notify(says)
        self.sleep(pause_s)
        self.paused_s += pause_s

    def _exceed(self) -> None:
        self._exceeded = True
        paused_ms = round(self.paused_s * 1000)
        self.log.warning("live_activity_pause_ceiling_exceeded", lookback_seconds=self.lookback_s, paused_ms=paused_ms)
        self.notify(f"a DJ is still live after {self.paused_s:g} s of waiting: continuing, one chunk at a time")
