"""Watches LML's own circuit breaker, so that a drain pauses while LML cannot ask Discogs."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from resources.lml.errors import LmlError
from resources.lml.models import Health
from resources.step_log import StepLog
from wxyc_assets.runs.progress import Progress

LOOK_AGAIN_S = 30.0
"""The least time between two looks while the breaker is not closed, or LML's health does not show it. Source:
contract/neighbours.md."""

CLOSED_S = 1.0
"""How old a look that found the breaker closed may be when a batch is sent: a fast run does not look before each."""

GIVE_UP_S = 1800.0
"""The longest pause. Then the run fails."""


class HealthCheck(Protocol):
    """The part of LML's client that is used here."""

    def health(self) -> Health:
        """Return LML's own health. Raises LmlError."""


class BreakerOpenError(Exception):
    """LML's breaker to Discogs did not close within the longest pause."""


@dataclass
class BreakerWatch:
    """The breaker as one run sees it.

    If LML's health does not show a breaker, or cannot be read, it counts as closed.

    Attributes:
        lml: says LML's health.
        log: of the run.
        progress: of the run; it shows a pause.
        notify: shows a sentence about each pause on the page of the run.
        sleep: waits for some seconds.
        clock: the monotonic clock, in seconds.
    """

    lml: HealthCheck
    log: StepLog
    progress: Progress
    notify: Callable[[str], None] = lambda _sentence: None
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _health: Health | None = field(default=None, init=False)
    _looked_at_s: float = field(default=-math.inf, init=False)
    _gave_up: bool = field(default=False, init=False)

    def is_open(self, since_s: float) -> bool:
        """Return whether LML cannot ask Discogs, as of an instant on ``clock`` or later.

        Looks at LML's health, unless the last look was later, or found no closed breaker within the last half minute.
        """
        look_from_s = since_s if self._shows_closed else self.clock() - LOOK_AGAIN_S
        if self._looked_at_s < look_from_s:
            self._look()
        return self._health is not None and self._health.discogs_is_suspended

    def wait(self) -> None:
        """Pause while the breaker is open. Raises BreakerOpenError after the longest pause, and at once ever after."""
        paused_s = 0.0
        while self._gave_up or self.is_open(self.clock() - CLOSED_S):
            if self._gave_up or paused_s >= GIVE_UP_S:
                self._gave_up = True
                raise BreakerOpenError(
                    f"LML's breaker to Discogs has been open for {GIVE_UP_S / 60:g} minutes; "
                    "`wxyc doctor` says whether it has closed, then run again"
                )
            self._pause(paused_s)
            paused_s += LOOK_AGAIN_S

    @property
    def _shows_closed(self) -> bool:
        return self._health is not None and self._health.discogs_breaker_state == "closed"

    def _look(self) -> None:
        began_s = self.clock()
        try:
            self._health = self.lml.health()
        except LmlError:
            self._health = None
        # A health that hangs must not be asked again as soon as it has timed out.
        self._looked_at_s = began_s if self._shows_closed else self.clock()

    def _pause(self, paused_s: float) -> None:
        state = self._health.discogs_breaker_state if self._health else None
        self.log.warning(
            "breaker_pause",
            breaker_state=state,
            pause_ms=round(LOOK_AGAIN_S * 1000),
            paused_ms=round(paused_s * 1000),
        )
        sentence = f"LML's breaker to Discogs is {state}: waiting {LOOK_AGAIN_S:g} s ({paused_s:g} s waited so far)"
        self.notify(sentence)
        self.progress.wait("waits for LML's breaker to Discogs", LOOK_AGAIN_S)
        self.sleep(LOOK_AGAIN_S)
        self._looked_at_s = -math.inf
