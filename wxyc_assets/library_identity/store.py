"""Reads eligible libraries, page by page, and writes what LML said about them, set by set."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import psycopg

from resources import sql_files
from wxyc_assets import ledger
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.verdicts import Library, Outcome, counted, digest

ASSET = "library_identity"
NOTES = "consumer:lml-bulk"
"""The mark on rows that this asset writes; readers know it from the predecessor."""

_NO_ROWS_FAULT = frozenset({"08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58"})
"""Classes of SQLSTATE: connection, transaction state, authorization, catalogue, schema, rollback, syntax or access rule,
resources, object state, operator intervention, system."""

WRITE_ATTEMPTS = 5
RETRY_AFTER_S = 0.1
"""Before the second attempt to write; as much longer before each further one."""

IN_EACH_OTHERS_WAY = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
)


@dataclass(frozen=True)
class Selection:
    """Which libraries a run asks about; the parameters of ``wxyc_assets.eligible_library``, up to an id."""

    as_of: datetime
    upto_id: int
    stale_after: timedelta
    retry_after: timedelta
    include_null_canonical: bool = False
    recheck: bool = False

    def parameters(self) -> dict[str, Any]:
        """Return the selection as named SQL parameters."""
        return dict(vars(self))


def _execute(connection: psycopg.Connection, name: str, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets.library_identity", name), parameters)


def beginning(connection: psycopg.Connection) -> tuple[datetime, int]:
    """Return the database's clock (aware, UTC) and the highest library id: a run looks at nothing newer."""
    ((now, highest_id),) = _execute(connection, "select_beginning").fetchall()
    return now, highest_id


def pages(
    connection: psycopg.Connection, selection: Selection, *, shard: int, shard_count: int, page_size: int
) -> Iterator[list[Library]]:
    """Yield the eligible libraries of a shard by ascending id; each at most once, whatever is written meanwhile.

    Reads stretches of the id range that hold about a page of the shard: a bounded range is one index scan whatever the
    planner believes about the predicate, where a LIMIT over it became a scan of the whole library a page.
    """
    waiting: list[Library] = []
    after_id = -1
    while (end := _stretch_end(connection, after_id, selection.upto_id, page_size * shard_count)) is not None:
        rows = _execute(
            connection,
            "select_eligible",
            **{**selection.parameters(), "upto_id": end},
            after_id=after_id,
            shard=shard,
            shard_count=shard_count,
        )
        waiting += [Library(*row) for row in rows]
        while len(waiting) >= page_size:
            yield waiting[:page_size]
            waiting = waiting[page_size:]
        after_id = end
    if waiting:
        yield waiting


def _stretch_end(connection: psycopg.Connection, after_id: int, upto_id: int, libraries: int) -> int | None:
    row = _execute(connection, "select_window_end", after_id=after_id, upto_id=upto_id, libraries=libraries).fetchone()
    return row[0] if row else None


def count_eligible(
    connection: psycopg.Connection, selection: Selection, *, shards: Sequence[int], shard_count: int
) -> dict[int, int]:
    """Return how many libraries of each shard need asking; shards without any are absent."""
    rows = _execute(
        connection, "count_eligible", shards=list(shards), shard_count=shard_count, **selection.parameters()
    )
    return dict(rows.fetchall())


def may_be_one_rows(error: psycopg.Error) -> bool:
    """Tell whether one row can have brought this about: its data, a constraint, or a trigger, whatever code that raises.

    What remains is the database's own trouble, or the role's: every other row would fail as well.
    """
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)  # refused before it was sent
    return error.sqlstate[:2] not in _NO_ROWS_FAULT


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
        try:
            self._write_again(outcomes, beside)
        except psycopg.Error as error:
            if self.connection.closed or not may_be_one_rows(error):
                raise
            if len(outcomes) > 1:
                middle = len(outcomes) // 2
                return self.write(outcomes[:middle], beside) + self.write(outcomes[middle:], Counters())
            rejected = [_writer_error(outcome, error) for outcome in outcomes]
            self._write_again(rejected, beside)
            return rejected
        return list(outcomes)

    def reject(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Put on record what no input can answer for."""
        ledger.quarantine(self.connection, ASSET, self.run_id, rejected)

    def complete(self) -> None:
        """Record that the shard was walked to its end."""
        self._tally(self.tallied, complete=True)

    def _write_again(self, outcomes: Sequence[Outcome], beside: Counters) -> None:
        """Write together, and once more while the only fault is that somebody else was writing at that moment."""
        for attempt in range(1, WRITE_ATTEMPTS + 1):
            try:
                self._write_together(outcomes, beside)
            except IN_EACH_OTHERS_WAY:
                if attempt == WRITE_ATTEMPTS:
                    raise
                time.sleep(attempt * RETRY_AFTER_S)
            else:
                return

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
        superseded = _execute(
            self.connection, "supersede_identities", reason=f"{NOTES}: LML's verdict changed", rows=rows
        ).rowcount
        _execute(self.connection, "upsert_identities", notes=NOTES, rows=rows)
        sources = [source for outcome in outcomes for source in outcome.sources]
        if sources:
            _execute(self.connection, "upsert_sources", notes=NOTES, rows=orjson.dumps(sources).decode())
        return superseded

    def _mark(self, outcomes: Sequence[Outcome]) -> None:
        """Stamp what LML could not resolve, clear the marker of what it could."""
        resolved = [outcome.library_id for outcome in outcomes if outcome.bucket == "resolved"]
        attempted = [outcome.library_id for outcome in outcomes if outcome.bucket in {"unresolved", "compilation"}]
        if resolved:
            _execute(self.connection, "clear_markers", library_id=resolved)
        if attempted:
            _execute(self.connection, "stamp_markers", library_id=attempted)
        ledger.release(self.connection, ASSET, resolved + attempted)

    def _quarantine(self, outcomes: Sequence[Outcome]) -> None:
        rejected = [
            ledger.Rejected(outcome.library_id, outcome.bucket, outcome.reason, outcome.payload_digest)
            for outcome in outcomes
            if outcome.bucket in {"contract_violation", "writer_error"}
        ]
        self.reject(rejected)


def _writer_error(outcome: Outcome, error: Exception) -> Outcome:
    reason = f"{type(error).__name__}: {str(error).strip()}"
    return Outcome(outcome.library_id, "writer_error", reason=reason, payload_digest=digest(repr(outcome.identity)))
