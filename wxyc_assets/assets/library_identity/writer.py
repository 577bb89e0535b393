"""Writes the outcomes of a page: ShardWriter into the tables, DryRunWriter only into its counters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import orjson
import psycopg

from wxyc_assets.assets.library_identity import track_credit_store
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.store import ASSET, execute
from wxyc_assets.assets.library_identity.track_credits import CreditReview, TrackCredit
from wxyc_assets.assets.library_identity.verdicts import Outcome, count_outcomes
from wxyc_assets.runs import ledger, provenance
from wxyc_assets.runs.bisecting_write import write_isolating
from wxyc_assets.runs.digest import digest, first_problem
from wxyc_assets.runs.provenance import Answered

NOTES = "consumer:lml-bulk"
"""The value of ``notes`` in rows that this asset writes; readers know it from the predecessor."""


QUARANTINED = {"contract_violation", "lml_refused", "manual_differs", "writer_error"}
"""Buckets of libraries whose verdict is not used. After three in a row a library rests for a day, except if a librarian decided
otherwise."""

STAMPED = {"unresolved", "compilation", "resolved_compilation"}
"""Buckets of libraries that LML gave no identity: the marker says so, and they rest until the retry period ends."""


@dataclass(frozen=True)
class Written:
    """A page as it was written: its outcomes, and what became of the track credits of its compilations."""

    outcomes: list[Outcome]
    track_credits: CreditReview


class Writer(Protocol):
    """Writes the outcomes of one shard; ``tallied`` is what it has committed so far."""

    tallied: Counters

    def write(self, outcomes: Sequence[Outcome], extra: Counters, batch: int = 0) -> Written:
        """Write a page, batch number ``batch`` of the run, and return it as it was written."""

    def quarantine(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Record rejected answers that belong to no input."""

    def complete(self) -> None:
        """Record that the shard was processed to its end."""


@dataclass
class ShardWriter:
    """Writes the outcomes of one shard for one run, and their tally in the same transaction."""

    connection: psycopg.Connection
    run_id: str
    shard: int
    tallied: Counters = field(default_factory=Counters)

    def write(self, outcomes: Sequence[Outcome], extra: Counters, batch: int = 0) -> Written:
        """Write a page in one transaction; where a library cannot be written, write all but that library.

        ``extra`` counts calls, latency and untrusted answers, which are no inputs. Raises the error itself if no single library
        causes it.
        """
        credited = CreditReview()

        def write_part(part: Sequence[Outcome]) -> Sequence[Outcome]:
            nonlocal extra, credited
            settled, reviewed = self._write_part(part, extra, batch)
            credited += reviewed
            extra = Counters()  # the first committed part counts them
            return settled

        written = write_isolating(self.connection, outcomes, write_part, _as_writer_error)
        return Written(written, credited)

    def quarantine(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Record rejected answers that belong to no input."""
        ledger.quarantine(self.connection, ASSET, self.run_id, rejected)

    def complete(self) -> None:
        """Record that the shard was processed to its end."""
        self._tally(self.tallied, complete=True)

    def _write_part(
        self, outcomes: Sequence[Outcome], extra: Counters, batch: int
    ) -> tuple[Sequence[Outcome], CreditReview]:
        with self.connection.transaction():
            settled, history_rows = self._write_identities(outcomes)
            credited = track_credit_store.write(self.connection, _track_credits(settled))
            self._update_markers(settled)
            self._quarantine_outcomes(settled)
            self._record_answers(settled, batch)
            counted = count_outcomes(settled).plus(history_rows_written=history_rows, **credited.counters.stored())
            tallied = self.tallied + extra + counted
            self._tally(tallied, complete=False)
        self.tallied = tallied
        return settled, credited

    def _tally(self, tallied: Counters, *, complete: bool) -> None:
        ledger.write_tally(
            self.connection,
            asset=ASSET,
            partition_key=str(self.shard),
            run_id=self.run_id,
            counters=tallied.stored(),
            complete=complete,
        )

    def _write_identities(self, outcomes: Sequence[Outcome]) -> tuple[Sequence[Outcome], int]:
        """Write identities and sources; return what became of each library, and how many identities moved to the history."""
        identities = [outcome.identity for outcome in outcomes if outcome.identity]
        if not identities:
            return outcomes, 0
        # One JSON text for each table: passing the same rows as one array for each column took five times as long.
        rows = orjson.dumps(identities).decode()
        superseded = execute(
            self.connection, "supersede_identities", reason=f"{NOTES}: LML's verdict changed", rows=rows
        ).rowcount
        written = execute(self.connection, "upsert_identities", notes=NOTES, rows=rows).rowcount
        if written < len(identities):  # the statement itself left the manual ones
            manual = _manual_differences(self.connection, rows)
            execute(self.connection, "verify_manual_identities", library_id=list(manual))
            outcomes = [_beside_manual(one, manual) for one in outcomes]
        sources = [source for outcome in outcomes for source in outcome.sources]
        if sources:
            execute(self.connection, "upsert_sources", notes=NOTES, rows=orjson.dumps(sources).decode())
        return outcomes, superseded

    def _update_markers(self, outcomes: Sequence[Outcome]) -> None:
        """Stamp the marker of libraries that LML did not resolve; clear the marker of those that it did."""
        resolved = [outcome.library_id for outcome in outcomes if outcome.bucket in {"resolved", "manual_differs"}]
        attempted = [outcome.library_id for outcome in outcomes if outcome.bucket in STAMPED]
        if resolved:
            execute(self.connection, "clear_markers", library_id=resolved)
        if attempted:
            execute(self.connection, "stamp_markers", library_id=attempted)
        ledger.release(self.connection, ASSET, resolved + attempted)

    def _record_answers(self, outcomes: Sequence[Outcome], batch: int) -> None:
        answered = [
            Answered(one.library_id, one.bucket, one.answer_digest, one.identity.method if one.identity else "")
            for one in outcomes
            if one.answer_digest
        ]
        provenance.write_answers(
            self.connection, asset=ASSET, shard=self.shard, run_id=self.run_id, batch=batch, answered=answered
        )

    def _quarantine_outcomes(self, outcomes: Sequence[Outcome]) -> None:
        self.quarantine(
            [
                ledger.Rejected(
                    outcome.library_id,
                    outcome.bucket,
                    outcome.reason,
                    outcome.payload_digest,
                    rests=outcome.bucket != "manual_differs",
                )
                for outcome in outcomes
                if outcome.bucket in QUARANTINED
            ]
        )


def _manual_differences(connection: psycopg.Connection, identities: str) -> Mapping[int, str]:
    """Return how LML's verdict differs from each manual identity among these (a JSON array); empty where it does not."""
    return dict(execute(connection, "select_manual_differences", rows=identities).fetchall())


def _beside_manual(outcome: Outcome, manual: Mapping[int, str]) -> Outcome:
    """Return the outcome of a library whose manual identity stays; ``manual``: how LML's verdict differs from each of them."""
    if outcome.identity is None or outcome.library_id not in manual:
        return outcome
    differs = manual[outcome.library_id]
    if not differs:
        return replace(outcome, sources=())
    verdict = digest([outcome.identity.wikidata_qid, outcome.identity.spotify_id, outcome.identity.apple_music_id])
    answer = outcome.answer_digest
    return Outcome(outcome.library_id, "manual_differs", reason=differs, payload_digest=verdict, answer_digest=answer)


def _as_writer_error(outcome: Outcome, error: Exception) -> Outcome:
    return Outcome(
        outcome.library_id,
        "writer_error",
        reason=first_problem(error),
        payload_digest=digest(outcome.identity or outcome.track_credits),
        answer_digest=outcome.answer_digest,
    )


def _track_credits(outcomes: Sequence[Outcome]) -> list[TrackCredit]:
    return [credit for outcome in outcomes for credit in outcome.track_credits]


@dataclass
class DryRunWriter:
    """The writer of a dry run: it counts outcomes as a run would, with what it reads of the tables, and writes nothing."""

    connection: psycopg.Connection
    tallied: Counters = field(default_factory=Counters)

    def write(self, outcomes: Sequence[Outcome], extra: Counters, _batch: int = 0) -> Written:
        """Count a page as a run does, and each library that would be refused while it is read as well."""
        credited = CreditReview()

        def review_part(part: Sequence[Outcome]) -> Sequence[Outcome]:
            nonlocal extra, credited
            rows = orjson.dumps([outcome.identity for outcome in part if outcome.identity]).decode()
            manual = _manual_differences(self.connection, rows)
            part = [_beside_manual(one, manual) for one in part]
            reviewed = track_credit_store.review(self.connection, _track_credits(part))
            self.tallied = self.tallied + extra + count_outcomes(part).plus(**reviewed.counters.stored())
            credited += reviewed
            extra = Counters()
            return part

        read = write_isolating(self.connection, outcomes, review_part, _as_writer_error)
        return Written(read, credited)

    def quarantine(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Record nothing."""

    def complete(self) -> None:
        """Record nothing."""
