"""What a walk hands its chunks to: the flowsheet (Flipper), or nobody in a dry run."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import psycopg

from wxyc_assets import ledger
from wxyc_assets.evidence import digest
from wxyc_assets.flowsheet_enrichment import store
from wxyc_assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.flowsheet_enrichment.store import Play
from wxyc_assets.row_isolation import IN_EACH_OTHERS_WAY, database_problem, may_be_one_rows

ATTEMPTS = 20
RETRY_AFTER_S = 1.0
"""After a chunk that others were in the way of: twenty times half a second's waiting and this is half a minute's patience."""


class Writer(Protocol):
    """Where chunks go; ``tallied`` is what came of them, by shard."""

    tallied: Mapping[int, Counters]

    def write(self, plays: Sequence[Play], paused_ms: int) -> list[Play]:
        """Mark a chunk, and return the plays that somebody else holds: they are not counted yet."""

    def settle(self, plays: Sequence[Play]) -> None:
        """Count plays that somebody else held to the end."""

    def complete(self, shard: int) -> None:
        """Record that the shard was walked to its end."""


@dataclass
class Flipper:
    """Marks the plays of one run, chunk by chunk, each in a transaction of its own with the tally that counts it."""

    connection: psycopg.Connection
    run_id: str
    shards: Sequence[int]
    rejected: Callable[[Play, str], None] = lambda _play, _reason: None
    sleep: Callable[[float], None] = time.sleep
    tallied: Mapping[int, Counters] = field(init=False)

    def __post_init__(self) -> None:
        self.tallied = dict.fromkeys(self.shards, Counters())

    def write(self, plays: Sequence[Play], paused_ms: int) -> list[Play]:
        """Mark a chunk, without the plays that somebody else holds, and without those that the table refuses.

        Raises psycopg.Error for a fault that is not one play's, also when somebody holds all of the flowsheet's writers up.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._write_together(plays, paused_ms, go_round_locks=attempt > 1)
            except IN_EACH_OTHERS_WAY:
                if attempt == ATTEMPTS:
                    raise
                self.sleep(RETRY_AFTER_S)
            except psycopg.Error as error:
                if self.connection.closed or not may_be_one_rows(error):
                    raise
                return self._write_without_the_guilty(plays, paused_ms, error)
        raise AssertionError("the last attempt returns or raises")

    def settle(self, plays: Sequence[Play]) -> None:
        """Count plays that somebody else held to the end: ``locked`` if they still wait."""
        with self.connection.transaction():
            still = store.pending(self.connection, [play.play_id for play in plays])
            tallied = self._counted({play: "locked" if play.play_id in still else "overtaken" for play in plays})
            self._store(tallied)
        self.tallied = tallied

    def complete(self, shard: int) -> None:
        """Record that the shard was walked to its end."""
        self._store_one(shard, self.tallied[shard], complete=True)

    def _write_together(self, plays: Sequence[Play], paused_ms: int, *, go_round_locks: bool) -> list[Play]:
        ids = [play.play_id for play in plays]
        with self.connection.transaction():
            store.set_chunk_timeouts(self.connection)
            free = store.lock_free(self.connection, ids) if go_round_locks else set(ids)
            flipped = store.flip(self.connection, sorted(free), self.shards)
            tallied = self._counted(
                {play: "flipped" if play.play_id in flipped else "overtaken" for play in plays if play.play_id in free}
            )
            first = plays[0].shard
            tallied[first] = tallied[first].plus(chunks=1, paused_ms=paused_ms)
            self._store(tallied)
        self.tallied = tallied
        return [play for play in plays if play.play_id not in free]

    def _write_without_the_guilty(self, plays: Sequence[Play], paused_ms: int, error: psycopg.Error) -> list[Play]:
        """Bisect until only the play is left out that the table refuses."""
        if len(plays) > 1:
            middle = len(plays) // 2
            return self.write(plays[:middle], paused_ms) + self.write(plays[middle:], 0)
        (play,) = plays
        reason = database_problem(error)
        with self.connection.transaction():
            tallied = self._counted({play: "writer_error"})
            tallied[play.shard] = tallied[play.shard].plus(chunks=1, paused_ms=paused_ms)
            self._store(tallied)
            # It never rests: a play that is refused costs a few small transactions, and starves nobody.
            refused = ledger.Rejected(play.play_id, "writer_error", reason, digest(repr(play)), rests=False)
            ledger.quarantine(self.connection, store.ASSET, self.run_id, [refused])
        self.tallied = tallied
        self.rejected(play, reason)
        return []

    def _counted(self, outcomes: Mapping[Play, str]) -> dict[int, Counters]:
        """Return the tallies with these plays in them, each in its bucket."""
        tallied = dict(self.tallied)
        for (shard, bucket), plays in Counter((play.shard, bucket) for play, bucket in outcomes.items()).items():
            tallied[shard] = tallied[shard].plus(scanned=plays, **{bucket: plays})
        return tallied

    def _store(self, tallied: Mapping[int, Counters]) -> None:
        """Store the tallies that changed, in one round trip: whoever writes to the flowsheet waits for our commit."""
        with self.connection.pipeline():
            for shard, counters in tallied.items():
                if counters != self.tallied[shard]:
                    self._store_one(shard, counters, complete=False)

    def _store_one(self, shard: int, counters: Counters, *, complete: bool) -> None:
        ledger.write_tally(
            self.connection,
            asset=store.ASSET,
            partition_key=str(shard),
            run_id=self.run_id,
            counters=counters.stored(),
            complete=complete,
        )


@dataclass
class TallyOnly:
    """The writer of a dry run: counts what would be marked, writes nothing."""

    shards: Sequence[int]
    tallied: Mapping[int, Counters] = field(init=False)

    def __post_init__(self) -> None:
        self.tallied = dict.fromkeys(self.shards, Counters())

    def write(self, plays: Sequence[Play], paused_ms: int) -> list[Play]:
        """Count a chunk."""
        tallied = dict(self.tallied)
        for shard, count in Counter(play.shard for play in plays).items():
            tallied[shard] = tallied[shard].plus(scanned=count, flipped=count)
        first = plays[0].shard
        self.tallied = tallied | {first: tallied[first].plus(chunks=1, paused_ms=paused_ms)}
        return []

    def settle(self, plays: Sequence[Play]) -> None:
        """Count nothing: nobody was found to hold a play."""

    def complete(self, shard: int) -> None:
        """Record nothing."""
