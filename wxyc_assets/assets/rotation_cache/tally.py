"""Writes a run's tally to the ledger after each batch, and quarantines the identities that LML does not know."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from wxyc_assets.assets.rotation_cache.counters import Counters
from wxyc_assets.assets.rotation_cache.store import ASSET
from wxyc_assets.assets.rotation_cache.verdicts import Outcome, count_outcomes
from wxyc_assets.runs import ledger

NOT_FOUND = "not_found"


@dataclass
class Tally:
    """The tally of one run for one day; ``total`` is what it has committed so far."""

    connection: psycopg.Connection
    run_id: str
    day: str
    total: Counters = field(default_factory=Counters)

    def add(self, outcomes: Sequence[Outcome], extra: Counters, *, calls_left: float) -> None:
        """Count a batch in one transaction; ``extra`` are counters beside the outcomes.

        ``calls_left`` is how many Discogs calls the run still expects to need. Raises psycopg.Error.
        """
        total = self.total + count_outcomes(outcomes) + extra
        with self.connection.transaction():
            self._quarantine(outcomes)
            self._write(total, complete=False)
            ledger.expect_calls(self.connection, self.run_id, calls_left)
        self.total = total

    def complete(self) -> None:
        """Record that the day was processed to its end."""
        self._write(self.total, complete=True)

    def _quarantine(self, outcomes: Sequence[Outcome]) -> None:
        """Quarantine unknown identities without a rest, so that the next run asks again, and release the known ones."""
        ledger.release(
            self.connection, ASSET, [o.identity_id for o in outcomes if o.bucket in {"warmed", "not_implemented"}]
        )
        unknown = [outcome for outcome in outcomes if outcome.bucket == NOT_FOUND]
        ledger.quarantine(
            self.connection,
            ASSET,
            self.run_id,
            [
                ledger.Rejected(
                    o.identity_id, NOT_FOUND, "LML does not know this identity", o.payload_digest, rests=False
                )
                for o in unknown
            ]
            + [
                ledger.Rejected(o.identity_id, "lml_refused", o.refusal, o.payload_digest)
                for o in outcomes
                if o.refusal
            ],
        )

    def _write(self, total: Counters, *, complete: bool) -> None:
        ledger.write_tally(
            self.connection,
            asset=ASSET,
            partition_key=self.day,
            run_id=self.run_id,
            counters=total.stored(),
            complete=complete,
        )
