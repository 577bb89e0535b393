"""Ingests Dagster's runs: credited partitions while a run works, and, once a run, what its end means for the alerts."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
from sqlalchemy.exc import SQLAlchemyError

from wxyc_assets.database.sessions import Sessions
from wxyc_assets.monitoring.alerts import outbox
from wxyc_assets.monitoring.alerts.event_log import (
    EndedRun,
    Scopes,
    ended_runs,
    newest_event,
    read_credits,
    read_run_facts,
)
from wxyc_assets.monitoring.alerts.lml_cause import LmlContext, with_lml_cause
from wxyc_assets.monitoring.alerts.outbox import Redact, RunRef, execute
from wxyc_assets.monitoring.alerts.rules import (
    Alert,
    Recovery,
    alert_changes,
    still_failing,
    unacknowledged,
    unreadable_run,
)
from wxyc_assets.monitoring.alerts.run_facts import Credit, RunFacts
from wxyc_assets.monitoring.alerts.unbilled_usage import with_names
from wxyc_assets.monitoring.lml_outage.rules import next_try
from wxyc_assets.monitoring.lml_outage.store import lml_runs

OVERLAP = timedelta(minutes=10)
"""An event may become visible up to this long after one with a larger storage id: its transaction can commit later."""

IN_PROGRESS = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
PAGE_SIZE = 200
MAX_RUNS = 50
"""How many runs one call ingests: a sensor tick has a minute, and the next tick goes on."""

GONE = (psycopg.OperationalError, SQLAlchemyError, OSError)
"""A database that cannot be reached: the tick fails, and the next one reads the run again. Any other error is the run's own."""


@dataclass(frozen=True)
class RunIngester:
    """Ingests the runs of an instance into the outbox."""

    instance: dg.DagsterInstance
    sessions: Sessions
    scopes: Scopes
    redact: Redact

    @property
    def connection(self) -> psycopg.Connection:
        """The session on the outbox, which is in the station's database."""
        return self.sessions.station

    def ingest(self) -> int:
        """Ingest the finished runs that are not ingested yet, in the order of Dagster's storage; return how many there were.

        Each run is ingested in one transaction, exactly once, even if several processes ingest at the same time or this one is
        killed. A run that cannot be read is one alert and stops no other. Raises psycopg.Error.
        """
        for run_id in self._runs_in_progress():
            with suppress(_UnreadableRunError):
                self._store_credits(run_id, self._read_credits(run_id))
        return sum(self._ingest_run(run) for run in self._pending_runs())

    def _runs_in_progress(self) -> Sequence[str]:
        try:
            records = self.instance.get_run_records(dg.RunsFilter(statuses=IN_PROGRESS))
        except GONE:
            raise
        except Exception:  # noqa: BLE001 - a run of a future version: each is read by itself when it ends
            return []
        return [record.dagster_run.run_id for record in records]

    def _pending_runs(self) -> list[EndedRun]:
        ((after, newest),) = execute(self.connection, "select_ingested_until", overlap=OVERLAP).fetchall()
        if newest > newest_event(self.instance):
            execute(self.connection, "forget_event_ids")
            after = 0
        pending: list[EndedRun] = []
        while len(pending) < MAX_RUNS:
            page = ended_runs(self.instance, after=after, limit=PAGE_SIZE)
            run_ids = [run.run_id for run in page]
            ingested = {run_id for (run_id,) in execute(self.connection, "select_ingested_runs", run_ids=run_ids)}
            pending += [run for run in page if run.run_id not in ingested]
            if len(page) < PAGE_SIZE:
                break
            after = page[-1].event_id
        return pending[:MAX_RUNS]

    def _ingest_run(self, run: EndedRun) -> bool:
        try:
            return self._store_run(run, self._read(run.run_id))
        except _UnreadableRunError as error:
            return self._store_unreadable(run, error.cause)
        except GONE:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a run says that cannot be stored concerns that run only
            return self._store_unreadable(run, error)

    def _read(self, run_id: str) -> RunFacts | None:
        """Return what a run did; None if it was deleted, or is no longer ended. Raises _UnreadableRunError."""
        try:
            record = self.instance.get_run_record_by_id(run_id)
            return (
                read_run_facts(self.instance, record, self.scopes)
                if record and record.dagster_run.is_finished
                else None
            )
        except GONE:
            raise
        except Exception as error:
            raise _UnreadableRunError(error) from error

    def _read_credits(self, run_id: str) -> Mapping[str, Mapping[str, Credit]]:
        try:
            return read_credits(self.instance, run_id)
        except GONE:
            raise
        except Exception as error:
            raise _UnreadableRunError(error) from error

    def _store_run(self, run: EndedRun, facts: RunFacts | None) -> bool:
        with self.connection.transaction():
            if not self._claim(run, facts.ended_at if facts else None):
                return False
            if facts:
                self._store_facts(facts)
        return True

    def _claim(self, run: EndedRun, ended_at: datetime | None) -> bool:
        """Return whether the run is this process's to ingest. A second process that claims the same run waits here."""
        at = ended_at or datetime.now(UTC)
        claimed = execute(self.connection, "claim_run", run_id=run.run_id, ended_at=at, event_id=run.event_id)
        return claimed.fetchone() is not None

    def _store_facts(self, facts: RunFacts) -> None:
        ref = RunRef(facts.run_id, facts.ended_at, facts.event_id)
        self._store_credits(facts.run_id, {asset.asset: asset.credited for asset in facts.assets})
        self._store_misses(facts)
        changes = with_lml_cause(alert_changes(facts), self._lml_context(facts.run_id))
        for recovery in changes.recovered:
            outbox.recover(self.connection, recovery, ref)
        for alert in self._unacknowledged(self._without_recovered(changes.raised, facts)):
            outbox.raise_alert(self.connection, with_names(self.sessions.billing, alert), ref, redact=self.redact)

    def _lml_context(self, run_id: str) -> LmlContext:
        run = next(iter(lml_runs(self.connection, run_id)), None)
        if run is None or not (run.in_vain and run.is_routine):
            return LmlContext(run)
        return LmlContext(run, next_try(lml_runs(self.connection), run.asset))

    def _without_recovered(self, raised: Sequence[Alert], facts: RunFacts) -> Iterable[Alert]:
        """Leave out what runs recovered that are ingested already and came later: events can become visible out of order."""
        later = list(self._later_recoveries(facts)) if raised else []
        return [left for alert in raised if (left := still_failing(alert, later))]

    def _unacknowledged(self, raised: Iterable[Alert]) -> Iterable[Alert]:
        """Leave out what an operator has acknowledged already: the next hourly run meets the same hours again."""
        for alert in raised:
            if not alert.needs_acknowledgement:
                yield alert
            elif left := unacknowledged(alert, outbox.acknowledged(self.connection, alert)):
                yield left

    def _later_recoveries(self, facts: RunFacts) -> Iterable[Recovery]:
        for asset in facts.assets:
            credited = execute(self.connection, "select_later_credits", asset=asset.asset, event_id=facts.event_id)
            yield Recovery(asset.asset, "run", None, frozenset(key for (key,) in credited))
        for (run_id,) in execute(self.connection, "select_later_runs", event_id=facts.event_id).fetchall():
            with suppress(_UnreadableRunError):
                later = self._read(run_id) if run_id != facts.run_id else None
                yield from alert_changes(later).recovered if later else ()

    def _store_unreadable(self, run: EndedRun, error: Exception) -> bool:
        now = datetime.now(UTC)
        with self.connection.transaction():
            if not self._claim(run, now):
                return False
            ref = RunRef(run.run_id, now, run.event_id)
            outbox.raise_alert(self.connection, unreadable_run(run.run_id, error), ref, redact=self.redact)
        return True

    def _store_credits(self, run_id: str, credits_of: Mapping[str, Mapping[str, Credit]]) -> None:
        for asset, credited in credits_of.items():
            execute(
                self.connection,
                "upsert_credits",
                asset=asset,
                run_id=run_id,
                partition_keys=list(credited),
                credited_at=[credit.at for credit in credited.values()],
                event_ids=[credit.event_id for credit in credited.values()],
            )

    def _store_misses(self, facts: RunFacts) -> None:
        for asset in facts.assets:
            if facts.end == "failure" and asset.missed:
                execute(
                    self.connection,
                    "upsert_misses",
                    asset=asset.asset,
                    run_id=facts.run_id,
                    partition_keys=sorted(asset.missed),
                    missed_at=facts.ended_at,
                    event_id=facts.event_id,
                )


class _UnreadableRunError(Exception):
    """Dagster's record of a run cannot be read."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause
