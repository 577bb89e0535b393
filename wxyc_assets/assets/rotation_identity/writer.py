"""Writes identities in batches, each in one transaction with the tally that counts it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import psycopg

from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.store import ASSET, WHOLE_ROTATION, set_identities
from wxyc_assets.assets.rotation_identity.verdicts import Outcome, count_outcomes
from wxyc_assets.runs import ledger
from wxyc_assets.runs.bisecting_write import write_isolating
from wxyc_assets.runs.digest import digest, first_problem

REJECTED = {"contract_violation", "writer_error"}
"""Buckets whose rows are quarantined. After three rejections in a row, a row rests for a day."""

RELEASED = {"resolved", "unresolved", "raced"}
"""Buckets that end a row's quarantine."""


@dataclass
class Writer:
    """Writes the outcomes of one run. ``tallied`` is what it has committed so far."""

    connection: psycopg.Connection
    run_id: str
    tallied: Counters = field(default_factory=Counters)

    def write(self, outcomes: Sequence[Outcome], extra: Counters) -> list[Outcome]:
        """Write a batch in one transaction; if the table refuses single rows, write all others.

        ``extra`` are counters beside the outcomes, such as calls. Returns the outcomes as they were written: ``writer_error``
        for refused rows, ``raced`` for those that another writer changed. Raises psycopg.Error for an error that no single row
        causes.
        """

        def write_part(part: Sequence[Outcome]) -> Sequence[Outcome]:
            nonlocal extra
            settled = self._write_part(part, extra)
            extra = Counters()  # counted with the first committed part
            return settled

        return write_isolating(self.connection, outcomes, write_part, _as_writer_error)

    def complete(self) -> None:
        """Record that every row was processed."""
        self._tally(self.tallied, complete=True)

    def _write_part(self, outcomes: Sequence[Outcome], extra: Counters) -> Sequence[Outcome]:
        with self.connection.transaction():
            written = set_identities(self.connection, [one for one in outcomes if one.bucket == "resolved"])
            settled = [_mark_raced(one, written) for one in outcomes]
            self._quarantine(settled)
            tallied = self.tallied + extra + count_outcomes(settled)
            self._tally(tallied, complete=False)
        self.tallied = tallied
        return settled

    def _quarantine(self, outcomes: Sequence[Outcome]) -> None:
        ledger.release(self.connection, ASSET, [o.candidate.rotation_id for o in outcomes if o.bucket in RELEASED])
        ledger.quarantine(
            self.connection,
            ASSET,
            self.run_id,
            [
                ledger.Rejected(o.candidate.rotation_id, o.bucket, o.reason, o.payload_digest)
                for o in outcomes
                if o.bucket in REJECTED
            ],
        )

    def _tally(self, tallied: Counters, *, complete: bool) -> None:
        ledger.write_tally(
            self.connection,
            asset=ASSET,
            partition_key=WHOLE_ROTATION,
            run_id=self.run_id,
            counters=tallied.stored(),
            complete=complete,
        )


def _mark_raced(outcome: Outcome, written: set[int]) -> Outcome:
    """Return ``raced`` for a row that was not updated, because it changed during the LML call."""
    raced = outcome.bucket == "resolved" and outcome.candidate.rotation_id not in written
    return replace(outcome, bucket="raced", identity_id=None) if raced else outcome


def _as_writer_error(outcome: Outcome, error: Exception) -> Outcome:
    """Return ``writer_error`` for a row that the table refused, with a digest of the values."""
    return replace(
        outcome,
        bucket="writer_error",
        identity_id=None,
        reason=first_problem(error),
        payload_digest=digest([outcome.candidate.discogs_release_id, outcome.identity_id]),
    )
