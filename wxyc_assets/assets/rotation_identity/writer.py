"""Writes identities batch by batch, with the tally that counts them in the same transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import psycopg

from wxyc_assets import ledger
from wxyc_assets.evidence import digest
from wxyc_assets.rotation_identity.counters import Counters
from wxyc_assets.rotation_identity.store import ASSET, EVERYTHING, set_identities
from wxyc_assets.rotation_identity.verdicts import Outcome, counted
from wxyc_assets.row_isolation import write_isolating

REJECTED = {"contract_violation", "writer_error"}
"""The buckets that are quarantined: after three in a row a row waits a day."""

USED = {"resolved", "unresolved", "raced"}


@dataclass
class Writer:
    """Writes the outcomes of one run, and keeps its tally: what it has committed so far."""

    connection: psycopg.Connection
    run_id: str
    tallied: Counters = field(default_factory=Counters)

    def write(self, outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Write a batch in one transaction, or, where the table refuses a row, everything but that row.

        ``beside`` counts what is no outcome: calls, rows that rest. Returns the outcomes, with ``writer_error`` for refused
        rows; what was raced is only counted. Raises psycopg.Error for a fault that is not one row's.
        """

        def write_together(some: Sequence[Outcome]) -> None:
            nonlocal beside
            self._write_together(some, beside)
            beside = Counters()  # told with the first part that was committed

        return write_isolating(self.connection, outcomes, write_together, _refused)

    def complete(self) -> None:
        """Record that every row was walked."""
        self._tally(self.tallied, complete=True)

    def _write_together(self, outcomes: Sequence[Outcome], beside: Counters) -> None:
        with self.connection.transaction():
            written = set_identities(self.connection, [one for one in outcomes if one.bucket == "resolved"])
            settled = [_settled(one, written) for one in outcomes]
            self._quarantine(settled)
            tallied = self.tallied + beside + counted(settled)
            self._tally(tallied, complete=False)
        self.tallied = tallied

    def _quarantine(self, outcomes: Sequence[Outcome]) -> None:
        ledger.release(self.connection, ASSET, [o.candidate.rotation_id for o in outcomes if o.bucket in USED])
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
            partition_key=EVERYTHING,
            run_id=self.run_id,
            counters=tallied.stored(),
            complete=complete,
        )


def _settled(outcome: Outcome, written: set[int]) -> Outcome:
    """Tell a row that took its identity from one that was changed while LML was being asked."""
    overtaken = outcome.bucket == "resolved" and outcome.candidate.rotation_id not in written
    return replace(outcome, bucket="raced", identity_id=None) if overtaken else outcome


def _refused(outcome: Outcome, error: psycopg.Error) -> Outcome:
    """Keep what was to be written as a digest only: the table would not have it."""
    return replace(
        outcome,
        bucket="writer_error",
        identity_id=None,
        reason=f"{type(error).__name__}: {str(error).strip()}",
        payload_digest=digest([outcome.candidate.discogs_release_id, outcome.identity_id]),
    )
