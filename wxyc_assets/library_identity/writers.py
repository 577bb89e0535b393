"""What a drain hands its pages to: the tables (ShardWriter), or nobody in a dry run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import orjson
import psycopg

from wxyc_assets import ledger
from wxyc_assets.evidence import digest
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.store import ASSET, execute
from wxyc_assets.library_identity.verdicts import Outcome, counted
from wxyc_assets.row_isolation import write_isolating

NOTES = "consumer:lml-bulk"
"""The mark on rows that this asset writes; readers know it from the predecessor."""


class Writer(Protocol):
    """Where the outcomes of a shard go."""

    tallied: Counters

    def write(self, outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Write a page and return the outcomes as they were written."""

    def reject(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Put on record what no input can answer for."""

    def complete(self) -> None:
        """Record that the shard was walked to its end."""


@dataclass
class ShardWriter:
    """Writes the outcomes of one shard for one run, and keeps its tally: what it has committed so far."""

    connection: psycopg.Connection
    run_id: str
    shard: int
    tallied: Counters = field(default_factory=Counters)

    def write(self, outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Write a page in one transaction, or, where a library cannot be written, everything but that library.

        ``beside`` counts what no input is: calls, latency, untrusted answers. Returns the outcomes as they were written.
        Raises psycopg.Error for a fault that is not one library's.
        """

        def write_together(some: Sequence[Outcome]) -> None:
            nonlocal beside
            self._write_together(some, beside)
            beside = Counters()  # told with the first part that was committed

        return write_isolating(self.connection, outcomes, write_together, _refused)

    def reject(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Put on record what no input can answer for."""
        ledger.quarantine(self.connection, ASSET, self.run_id, rejected)

    def complete(self) -> None:
        """Record that the shard was walked to its end."""
        self._tally(self.tallied, complete=True)

    def _write_together(self, outcomes: Sequence[Outcome], beside: Counters) -> None:
        with self.connection.transaction():
            history_rows = self._write_identities(outcomes)
            self._mark(outcomes)
            self._quarantine(outcomes)
            tallied = self.tallied + beside + counted(outcomes).plus(history_rows_written=history_rows)
            self._tally(tallied, complete=False)
        self.tallied = tallied

    def _tally(self, tallied: Counters, *, complete: bool) -> None:
        ledger.write_tally(
            self.connection,
            asset=ASSET,
            partition_key=str(self.shard),
            run_id=self.run_id,
            counters=tallied.stored(),
            complete=complete,
        )

    def _write_identities(self, outcomes: Sequence[Outcome]) -> int:
        """Write identities and sources; return how many older identities went to the history."""
        identities = [outcome.identity for outcome in outcomes if outcome.identity]
        if not identities:
            return 0
        # One JSON text a table: as arrays, a column each, the same rows took five times as long to pass.
        rows = orjson.dumps(identities).decode()
        superseded = execute(
            self.connection, "supersede_identities", reason=f"{NOTES}: LML's verdict changed", rows=rows
        ).rowcount
        execute(self.connection, "upsert_identities", notes=NOTES, rows=rows)
        sources = [source for outcome in outcomes for source in outcome.sources]
        if sources:
            execute(self.connection, "upsert_sources", notes=NOTES, rows=orjson.dumps(sources).decode())
        return superseded

    def _mark(self, outcomes: Sequence[Outcome]) -> None:
        """Stamp what LML could not resolve, clear the marker of what it could."""
        resolved = [outcome.library_id for outcome in outcomes if outcome.bucket == "resolved"]
        attempted = [outcome.library_id for outcome in outcomes if outcome.bucket in {"unresolved", "compilation"}]
        if resolved:
            execute(self.connection, "clear_markers", library_id=resolved)
        if attempted:
            execute(self.connection, "stamp_markers", library_id=attempted)
        ledger.release(self.connection, ASSET, resolved + attempted)

    def _quarantine(self, outcomes: Sequence[Outcome]) -> None:
        self.reject(
            [
                ledger.Rejected(outcome.library_id, outcome.bucket, outcome.reason, outcome.payload_digest)
                for outcome in outcomes
                if outcome.bucket in {"contract_violation", "writer_error"}
            ]
        )


def _refused(outcome: Outcome, error: psycopg.Error) -> Outcome:
    reason = f"{type(error).__name__}: {str(error).strip()}"
    return Outcome(outcome.library_id, "writer_error", reason=reason, payload_digest=digest(repr(outcome.identity)))


@dataclass
class TallyOnly:
    """The writer of a dry run: counts, writes nothing."""

    tallied: Counters = field(default_factory=Counters)

    def write(self, outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Count a page."""
        self.tallied = self.tallied + beside + counted(outcomes)
        return list(outcomes)

    def reject(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Put nothing on record."""

    def complete(self) -> None:
        """Record nothing."""
