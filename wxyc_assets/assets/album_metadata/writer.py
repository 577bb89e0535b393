"""Writes what LML said about albums, batch by batch, with the tally that counts it in the same transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import psycopg

from wxyc_assets import ledger
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.store import ASSET, execute
from wxyc_assets.album_metadata.verdicts import Album, Outcome, counted
from wxyc_assets.evidence import digest
from wxyc_assets.row_isolation import write_isolating

RESTING_KINDS = {"contract_violation", "writer_error"}
"""What is of the album's own making: after three in a row it waits a day. A foreign index is LML's doing."""


@dataclass
class ShardWriter:
    """Writes the outcomes of one shard for one run, and keeps its tally: what it has committed so far."""

    connection: psycopg.Connection
    run_id: str
    shard: int
    tallied: Counters = field(default_factory=Counters)

    def write(self, albums: Sequence[Album], outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Write a batch in one transaction, or, where the table refuses a row, everything but that row.

        ``beside`` counts what is no outcome: albums set aside, calls, surplus answers. Returns the outcomes as they were
        written. Raises psycopg.Error for a fault that is not one row's.
        """
        asked = {album.album_id: album for album in albums}

        def write_together(some: Sequence[Outcome]) -> None:
            nonlocal beside
            self._write_together(asked, some, beside)
            beside = Counters()  # told with the first part that was committed

        return write_isolating(self.connection, outcomes, write_together, _refused)

    def complete(self) -> None:
        """Record that the shard was walked to its end."""
        self._tally(self.tallied, complete=True)

    def _write_together(self, asked: Mapping[int, Album], outcomes: Sequence[Outcome], beside: Counters) -> None:
        with self.connection.transaction():
            rows = [outcome.row for outcome in outcomes if outcome.row]
            upserts = 0
            if rows:
                # Through json, which takes whatever came in: what no text or smallint holds is the table's to refuse.
                texts = json.dumps([asdict(row) for row in rows])
                upserts = execute(self.connection, "upsert_album_metadata", rows=texts).rowcount
            self._remember(asked, outcomes)
            self._quarantine(outcomes)
            tallied = (
                self.tallied + beside + counted(outcomes).plus(upserts=upserts, rows_kept_newer=len(rows) - upserts)
            )
            self._tally(tallied, complete=False)
        self.tallied = tallied

    def _remember(self, asked: Mapping[int, Album], outcomes: Sequence[Outcome]) -> None:
        """Let albums rest that LML does not know, and forget that of those that it does."""
        unknown = [asked[outcome.album_id] for outcome in outcomes if outcome.bucket == "no_match"]
        if unknown:
            execute(
                self.connection,
                "remember_no_matches",
                album_id=[album.album_id for album in unknown],
                artist_name=[album.artist_name for album in unknown],
                album_title=[album.album_title for album in unknown],
                run_id=self.run_id,
            )
        known = [outcome.album_id for outcome in outcomes if outcome.bucket == "match"]
        if known:
            execute(self.connection, "forget_no_matches", album_id=known)

    def _quarantine(self, outcomes: Sequence[Outcome]) -> None:
        used = [o.album_id for o in outcomes if o.bucket in {"match", "no_match"} and not o.kind]
        ledger.release(self.connection, ASSET, used)
        ledger.quarantine(
            self.connection,
            ASSET,
            self.run_id,
            [
                ledger.Rejected(o.album_id, o.kind, o.reason, o.payload_digest, rests=o.kind in RESTING_KINDS)
                for o in outcomes
                if o.kind
            ],
        )

    def _tally(self, tallied: Counters, *, complete: bool) -> None:
        ledger.write_tally(
            self.connection,
            asset=ASSET,
            partition_key=str(self.shard),
            run_id=self.run_id,
            counters=tallied.stored(),
            complete=complete,
        )


def _refused(outcome: Outcome, error: psycopg.Error) -> Outcome:
    """Keep the verdict, without its row: the album matched, the table would not have it."""
    reason = f"{type(error).__name__}: {str(error).strip()}"
    return replace(outcome, row=None, reason=reason, kind="writer_error", payload_digest=digest(repr(outcome.row)))
