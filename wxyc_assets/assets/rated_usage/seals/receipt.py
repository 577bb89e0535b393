"""An entry of the chain of seals, and its digest. Pure.

An entry either seals an hour or opens it again. Each names the digest of the entry before it, so that no entry can be changed,
left out or put between without every later digest being wrong.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Literal

from wxyc_assets.runs.partitions import hour_key

FIRST = ""
"""What the first entry names as the one before it."""


@dataclass(frozen=True)
class SealedState:
    """What an hour is when it is sealed.

    Attributes:
        row_count: its rows in rated_usage.
        cost: their sum, decimal text in USD.
        rows_digest: SHA-256 of these rows, every column, in the order of customer, deployment and model.
        event_count: its events.
        events_digest: SHA-256 of what rating reads of them, in the order of request_id.
        price_digest: SHA-256 of the price file that they were rated with.
        rated_by: the run that rated the hour last.
        accepted_rows: rows that another rating would change, because an operator accepted that their events stay unbilled.
        accepted_cost: by how much it would move the bill, decimal text in USD.
    """

    row_count: int
    cost: str
    rows_digest: str
    event_count: int
    events_digest: str
    price_digest: str
    rated_by: str
    accepted_rows: int = 0
    accepted_cost: str = "0.000000000"


@dataclass(frozen=True)
class Entry:
    """One entry. ``state`` is that of a sealed hour; an entry that opens an hour again has a ``reason`` instead."""

    hour: datetime
    kind: Literal["seal", "reopen"]
    made_by: str
    made_at: datetime
    previous: str
    state: SealedState | None = None
    reason: str = ""
    digest: str = field(default="", compare=False)

    def expected_digest(self) -> str:
        """Return the SHA-256 of all that the entry says, in hex."""
        says = {
            "hour": hour_key(self.hour),
            "kind": self.kind,
            "made_by": self.made_by,
            "made_at": self.made_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "previous": self.previous,
            "reason": self.reason,
            "state": asdict(self.state) if self.state else None,
        }
        return hashlib.sha256(json.dumps(says, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def chain_problems(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the first entry that is not what it was when it was made, or that does not follow the one before it."""
    previous = FIRST
    for entry in entries:
        if entry.previous != previous:
            yield f"{hour_key(entry.hour)}: an entry of the chain of seals before this one was removed or put in"
            return
        if entry.digest != entry.expected_digest():
            yield f"{hour_key(entry.hour)}: its entry in the chain of seals was changed"
            return
        previous = entry.digest


def sealed_states(entries: Iterable[Entry]) -> dict[datetime, SealedState]:
    """Return the state of each hour that is sealed now, by hour."""
    found: dict[datetime, SealedState] = {}
    for entry in entries:
        if entry.state:
            found[entry.hour] = entry.state
        else:
            found.pop(entry.hour, None)
    return found
