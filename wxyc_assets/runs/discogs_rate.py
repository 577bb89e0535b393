"""How many inputs a run may send to LML at once within the station's Discogs budget, and when it would be done. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

AHEAD_S = 5.0
"""Seconds of the station's budget that a run may reserve ahead. Reserved calls make other callers wait, and a reservation can
be returned only if no later reservation exists. Calls that are answered within seconds keep a small budget busy with this."""


@dataclass(frozen=True)
class DiscogsRate:
    """The station's budget in Discogs calls a minute, and the expected Discogs calls of one input."""

    discogs_calls_per_min: float
    calls_per_input: float

    def batch_size(self, at_most: int) -> int:
        """Return how many inputs fit in half a minute of the budget, at least 1 and at most ``at_most``.

        A minute of the budget is full when the next call no longer fits. With larger batches more of it stays unused, and the
        station's live callers wait behind a whole batch. With smaller ones each input pays for its time on the wire, which
        cannot be told from work at Discogs. Source: docs/decisions/0005.
        """
        if not self.calls_per_input:
            return at_most
        return max(1, int(min(at_most, self.discogs_calls_per_min / 2 / self.calls_per_input)))

    def in_flight(self, batch_size: int, at_most: int) -> int:
        """Return how many batches to send at once, so that at most ``AHEAD_S`` of the budget is reserved ahead."""
        batch_s = self.seconds(batch_size)
        return at_most if batch_s * at_most <= AHEAD_S else max(1, int(AHEAD_S / batch_s))

    def calls(self, inputs: int) -> float:
        """Return the expected Discogs calls of this many inputs."""
        return inputs * self.calls_per_input

    def seconds(self, inputs: int) -> float:
        """Return how many seconds of the budget this many inputs take."""
        return self.calls(inputs) * 60 / self.discogs_calls_per_min

    def forecast(self, inputs: int, backlog: "BudgetBacklog") -> "Forecast":
        """Return when this many inputs would be done, behind the calls that are reserved already."""
        return Forecast(backlog.at, backlog.seconds, self.seconds(inputs))


class BudgetBacklog(Protocol):
    """The calls that are reserved already, as seconds of the budget from the instant ``at``."""

    @property
    def at(self) -> datetime:
        """The database's clock, aware, UTC."""

    @property
    def seconds(self) -> float:
        """0 or more."""


@dataclass(frozen=True)
class Forecast:
    """When the inputs would be done; ``backlog_s`` is reserved by other callers already, as of ``at``."""

    at: datetime
    backlog_s: float
    ours_s: float

    @property
    def done_at(self) -> datetime:
        """The instant at which every input would have been sent, if no other caller reserves meanwhile."""
        return self.at + timedelta(seconds=self.backlog_s + self.ours_s)
