"""Keeps a run's tally in the ledger, batch by batch, with the identities that LML does not know."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg

from wxyc_assets import ledger
from wxyc_assets.rotation_cache.counters import Counters
from wxyc_assets.rotation_cache.store import ASSET
from wxyc_assets.rotation_cache.verdicts import Outcome, counted

NOT_FOUND = "not_found"


@dataclass
class Tally:
    """What one run has counted for one day; ``total`` is what it has committed so far."""

    connection: psycopg.Connection
    run_id: str
    day: str
    total: Counters = field(default_factory=Counters)

    def add(self, outcomes: Sequence[Outcome], beside: Counters, *, calls_left: float) -> None:
        """Count a batch in one transaction; ``beside`` counts what is no outcome.

        ``calls_left`` is how many Discogs calls the run still expects to need after it. Raises psycopg.Error.
        """
        total = self.total + counted(outcomes) + beside
        with self.connection.transaction():
            self._remember(outcomes)
            self._write(total, complete=False)
            ledger.expect_calls(self.connection, self.run_id, calls_left)
        self.total = total

    def complete(self) -> None:
        """Record that the day was walked to its end."""
        self._write(self.total, complete=True)

    def _remember(self, outcomes: Sequence[Outcome]) -> None:
        """Put on record what LML does not know; it is asked again all the same. What it knows after all is off the record."""
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
