"""How fast a run may ask within the station's budget of Discogs calls, and when it would be done. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

AHEAD_S = 5.0
"""How much of the station's budget a run may have reserved ahead. What stands reserved makes others wait, and is given back
only to nobody behind it; a call that is answered within seconds needs no more to keep a small budget busy."""


@dataclass(frozen=True)
class Pace:
    """Calls to Discogs a minute, and how many of them one input is expected to cost."""

    discogs_calls_per_min: float
    calls_per_input: float

    def batch_size(self, at_most: int) -> int:
        """Return how many inputs to send at once, at least 1: so many as fit in half a minute of the budget.

        A minute of the budget is full when the next call no longer fits: of larger ones more of it would stay empty, and the
        station's live callers would meet all of one at once. Smaller ones would pay for the time on the wire, which nobody can
        tell from work at Discogs, once an input. Source: docs/decisions/0005.
        """
        if not self.calls_per_input:
            return at_most
        return max(1, int(min(at_most, self.discogs_calls_per_min / 2 / self.calls_per_input)))

    def in_flight(self, batch_size: int, at_most: int) -> int:
        """Return how many batches to ask about at once, so that no more than ``AHEAD_S`` of the budget is reserved ahead."""
        batch_s = self.seconds(batch_size)
        return at_most if batch_s * at_most <= AHEAD_S else max(1, int(AHEAD_S / batch_s))

    def calls(self, inputs: int) -> float:
        """Return how many calls to Discogs so many inputs are expected to cost."""
        return inputs * self.calls_per_input

    def seconds(self, inputs: int) -> float:
        """Return how long the budget takes over so many inputs."""
        return self.calls(inputs) * 60 / self.discogs_calls_per_min


@dataclass(frozen=True)
class Forecast:
    """When the budget would be done: ``backlog_s`` is what others have reserved already, as of ``at``."""

    at: datetime
    backlog_s: float
    ours_s: float

    @property
    def done_at(self) -> datetime:
        """The instant at which everything would have been asked, if nobody else reserves meanwhile."""
        return self.at + timedelta(seconds=self.backlog_s + self.ours_s)
