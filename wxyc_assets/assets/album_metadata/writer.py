"""Writes the outcomes of albums, batch by batch, with the tally that counts them in the same transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter

import psycopg

from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.derivation import AlbumRow
from wxyc_assets.assets.album_metadata.store import ASSET, execute
from wxyc_assets.assets.album_metadata.verdicts import Album, Outcome, count_outcomes
from wxyc_assets.runs import ledger, provenance
from wxyc_assets.runs.bisecting_write import write_isolating
from wxyc_assets.runs.digest import digest, first_problem
from wxyc_assets.runs.provenance import Answered

COLUMNS = tuple(column.name for column in fields(AlbumRow))
values_of = attrgetter(*COLUMNS)
"""Returns a row's values in the order of ``COLUMNS``; dataclasses.asdict takes several times as long."""

ANSWERED = {"match", "match_untrusted", "no_match"}
"""The buckets of a usable answer: whatever failed before is over."""

RESTING_KINDS = {"contract_violation", "lml_refused", "writer_error"}
"""Failures that the album itself causes: after three in a row the album waits a day. LML causes an unexpected index."""


@dataclass
class ShardWriter:
    """Writes the outcomes of one shard for one run; ``tallied`` is what it has committed so far."""

    connection: psycopg.Connection
    run_id: str
    shard: int
    tallied: Counters = field(default_factory=Counters)

    def write(
        self, albums: Sequence[Album], outcomes: Sequence[Outcome], extra: Counters, batch: int = 0
    ) -> list[Outcome]:
        """Write a batch in one transaction; where the table refuses a row, write all but that row.

        ``extra`` counts what has no outcome: albums that were not asked about, calls, surplus answers. Returns the outcomes as
        they were written. Raises psycopg.Error for a fault that no single row causes.
        """
        by_id = {album.album_id: album for album in albums}

        def write_part(part: Sequence[Outcome]) -> Sequence[Outcome]:
            nonlocal extra
            self._write_part(by_id, part, extra, batch)
            extra = Counters()  # the first committed part counts them
            return part

        return write_isolating(self.connection, outcomes, write_part, _as_writer_error)

    def complete(self) -> None:
        """Record that the shard was processed to its end."""
        self._tally(self.tallied, complete=True)

    def _write_part(
        self, albums: Mapping[int, Album], outcomes: Sequence[Outcome], extra: Counters, batch: int
    ) -> None:
        with self.connection.transaction():
            rows = [outcome.row for outcome in outcomes if outcome.row]
            upserts = 0
            if rows:
                # As JSON, which can carry every value: PostgreSQL refuses the row whose text or smallint cannot.
                rows_json = json.dumps([dict(zip(COLUMNS, values_of(row), strict=True)) for row in rows])
                ((upserts,),) = execute(self.connection, "upsert_album_metadata", rows=rows_json).fetchall()
            self._update_no_matches(albums, outcomes)
            self._quarantine(outcomes)
            self._record_answers(outcomes, batch)
            tallied = (
                self.tallied
                + extra
                + count_outcomes(outcomes).plus(upserts=upserts, rows_kept_newer=len(rows) - upserts)
            )
            self._tally(tallied, complete=False)
        self.tallied = tallied

    def _update_no_matches(self, albums: Mapping[int, Album], outcomes: Sequence[Outcome]) -> None:
        """Record the albums that LML does not know or takes for another, and delete the record of those that it knows."""
        unknown = [
            albums[outcome.album_id] for outcome in outcomes if outcome.bucket in {"no_match", "match_untrusted"}
        ]
        if unknown:
            execute(
                self.connection,
                "upsert_no_matches",
                album_id=[album.album_id for album in unknown],
                artist_name=[album.artist_name for album in unknown],
                album_title=[album.album_title for album in unknown],
                run_id=self.run_id,
            )
        known = [outcome.album_id for outcome in outcomes if outcome.bucket == "match"]
        if known:
            execute(self.connection, "delete_no_matches", album_id=known)

    def _record_answers(self, outcomes: Sequence[Outcome], batch: int) -> None:
        answered = [Answered(o.album_id, o.bucket, o.answer_digest, o.method) for o in outcomes if o.answer_digest]
        provenance.write_answers(
            self.connection, asset=ASSET, shard=self.shard, run_id=self.run_id, batch=batch, answered=answered
        )

    def _quarantine(self, outcomes: Sequence[Outcome]) -> None:
        succeeded = [o.album_id for o in outcomes if o.bucket in ANSWERED and not o.kind]
        ledger.release(self.connection, ASSET, succeeded)
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


def _as_writer_error(outcome: Outcome, error: Exception) -> Outcome:
    """Return the outcome without its row: the album still counts as a match, and the table refused the row."""
    reason = first_problem(error)
    return replace(outcome, row=None, reason=reason, kind="writer_error", payload_digest=digest(outcome.row))
