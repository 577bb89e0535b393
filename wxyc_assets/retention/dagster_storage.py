"""Removes old runs, backfills and ticks from Dagster's storage, and keeps what Dagster shows as the present state.

A run whose events are the latest of a partition or of a check keeps these events and its row; the rest of it is removed.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

import dagster as dg
import psycopg
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES
from dagster._core.scheduler.instigation import InstigatorState
from dagster_postgres import PostgresEventLogStorage

from resources.own_sessions import require_own_sessions
from resources.postgres import keepalives
from wxyc_assets.retention.log_files import prune_run_logs, prune_tick_logs
from wxyc_assets.retention.own_tables import delete, execute
from wxyc_assets.retention.rules import Removed

RUNS_AT_ONCE = 50
ROWS_AT_ONCE = 2000
TICKS_AT_ONCE: Final = timedelta(days=7)
CONNECT_TIMEOUT_S = 10
NO_RUN = ""
"""The run id of events without a run, such as those about freshness."""

TERMINAL = sorted({status.value for status in BULK_ACTION_TERMINAL_STATUSES})
ENDS = [
    kind.value
    for kind in (dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_CANCELED)
]


@contextmanager
def storage_session(instance: dg.DagsterInstance) -> Iterator[psycopg.Connection]:
    """Yield an autocommit session on Dagster's storage. Raises TypeError if that is not in PostgreSQL."""
    storage = instance.event_log_storage
    if not isinstance(storage, PostgresEventLogStorage):
        raise TypeError(f"only a storage in PostgreSQL can be pruned, and this is {type(storage).__name__}")
    dsn = str(storage.postgres_url).replace("+psycopg2", "", 1)
    require_own_sessions(dsn, connect_timeout=CONNECT_TIMEOUT_S, **keepalives(dsn))
    with psycopg.connect(
        dsn,
        autocommit=True,
        connect_timeout=CONNECT_TIMEOUT_S,
        application_name="wxyc_assets prune",
        **keepalives(dsn),
    ) as connection:
        yield connection


@dataclass(frozen=True)
class _LatestEvaluations:
    """The evaluations that remain: those that Dagster shows as the state of a check."""

    checks: Collection[tuple[str, str]]
    ids: Sequence[int]
    run_ids: Sequence[str]

    @classmethod
    def read(cls, session: psycopg.Connection) -> "_LatestEvaluations":
        """Read them. An evaluation that is stored later supersedes one of them, which then stays until the next time."""
        rows = execute(session, "select_latest_evaluations").fetchall()
        checks = {(asset, check) for asset, check, _, _ in rows}
        return cls(checks, [row[2] for row in rows], sorted({row[3] for row in rows}))


@dataclass
class DagsterStorage:
    """Dagster's storage, of which everything before an instant is removed that nothing reads.

    Attributes:
        instance: Dagster's instance, whose own functions delete runs, ticks and log files.
        session: a session on its storage.
        outbox: a session on the station's database, which knows what the alerts have read and which are open.
        before: what is younger stays.
        dry_run: roll back every transaction, and delete nothing that cannot be rolled back. Not one transaction for all: each
            statement would look at all rows that were deleted before it.
        unread: how many old runs stay because the alerts have not read them.
    """

    instance: dg.DagsterInstance
    session: psycopg.Connection
    outbox: psycopg.Connection
    before: datetime
    dry_run: bool
    unread: int = 0
    _removed_runs: list[str] = field(default_factory=list)
    _removed_ends: set[str] = field(default_factory=set)

    def prune(self) -> Iterator[Removed]:
        """Remove what is old, and yield what each transaction removed."""
        yield from self._prune_runs()
        yield from self._prune_backfills()
        for state in self.instance.all_instigator_state():
            yield from self._prune_ticks(state)
        yield from self._prune_read_runs()

    def _prune_runs(self) -> Iterator[Removed]:
        needed = [run_id for (run_id,) in execute(self.outbox, "select_needed_runs")]
        found = execute(self.session, "select_old_runs", before=self.before, needed=needed, terminal=TERMINAL)
        runs = iter([run_id for (run_id,) in found])
        latest = _LatestEvaluations.read(self.session)
        yield from self._prune_batch([NO_RUN], latest)
        while batch := list(islice(runs, RUNS_AT_ONCE)):
            yield from self._prune_batch(self._read(batch), latest)

    def _read(self, run_ids: Sequence[str]) -> list[str]:
        """Return the runs that the alerts have read, or can no longer read."""
        ended = self._with_end(run_ids)
        read = {run_id for (run_id,) in execute(self.outbox, "select_read_runs", run_ids=run_ids)}
        self.unread += len(ended - read)
        return [run_id for run_id in run_ids if run_id not in ended - read]

    def _with_end(self, run_ids: Sequence[str]) -> set[str]:
        """Return the runs of which the storage has the event with which they ended."""
        found = execute(self.session, "select_runs_with_end", run_ids=run_ids, ends=ENDS)
        return {run_id for (run_id,) in found}

    def _prune_batch(self, run_ids: Sequence[str], latest: _LatestEvaluations) -> Iterator[Removed]:
        """Remove the log files and events of some runs, then the rows of those of which nothing is left.

        In this order an interruption leaves a run that the next time finds again.
        """
        ended = self._with_end(run_ids)
        with self.session.transaction(force_rollback=self.dry_run):
            events = execute(
                self.session, "delete_events", run_ids=run_ids, before=self.before, below=self._newest_read
            )
            ((count, size, concerned),) = events.fetchall()
            checks = delete(
                self.session,
                "check_evaluations",
                "delete_check_evaluations",
                run_ids=[run_id for run_id in run_ids if run_id],
                asset_keys=[asset for asset, _ in latest.checks],
                check_names=[check for _, check in latest.checks],
                kept=latest.ids,
            )
            logs = prune_run_logs(self.instance, filter(None, concerned), dry_run=self.dry_run)
            emptied = execute(self.session, "select_emptied_runs", run_ids=run_ids, evaluated=latest.run_ids).fetchall()
            self._removed_ends |= ended - self._with_end(run_ids)
        for run_id, _ in emptied:
            if not self.dry_run:
                self.instance.delete_run(run_id)
            self._removed_runs.append(run_id)
        yield from (Removed("events", count, size), checks, logs)
        yield Removed("runs", len(emptied), sum(size for _, size in emptied))

    @property
    def _newest_read(self) -> int:
        """The storage id of the newest end of a run that the alerts have read: without it they would start anew."""
        ((newest,),) = execute(self.outbox, "select_newest_read").fetchall()
        return int(newest)

    def _prune_backfills(self) -> Iterator[Removed]:
        more = True
        while more:
            with self.session.transaction(force_rollback=self.dry_run):
                removed = delete(
                    self.session,
                    "backfills",
                    "delete_backfills",
                    before=self.before,
                    terminal=TERMINAL,
                    removed=self._removed_runs,
                    row_limit=None if self.dry_run else ROWS_AT_ONCE,
                )
            more = removed.count == ROWS_AT_ONCE and not self.dry_run
            yield removed

    def _prune_ticks(self, state: InstigatorState) -> Iterator[Removed]:
        """Remove old ticks of a schedule or sensor, a week of them at once, but never its last tick."""
        of_instigator = {"origin_id": state.instigator_origin_id, "selector_id": state.selector_id}
        ((since, last),) = execute(self.session, "select_tick_range", **of_instigator).fetchall()
        end = min(self.before, last or self.before)
        while since and since < end:
            until = min(since + TICKS_AT_ONCE, end)
            yield delete(self.session, "ticks", "count_ticks", **of_instigator, since=since, until=until)
            if not self.dry_run:
                self.instance.purge_ticks(state.instigator_origin_id, state.selector_id, until.timestamp())
            since = until
        prefix = [state.origin.repository_origin.repository_name, state.instigator_name]
        yield prune_tick_logs(self.instance, prefix, self.before, dry_run=self.dry_run)

    def _prune_read_runs(self) -> Iterator[Removed]:
        """Forget that the alerts have read runs whose end is no longer stored, so that they cannot read it again."""
        after, newest = "", self._newest_read
        page = {"before": self.before, "below": newest, "row_limit": ROWS_AT_ONCE}
        while run_ids := [run_id for (run_id,) in execute(self.outbox, "select_old_read_runs", **page, after=after)]:
            after = run_ids[-1]
            stored = self._with_end(run_ids) - self._removed_ends
            with self.outbox.transaction(force_rollback=self.dry_run):
                yield delete(
                    self.outbox,
                    "read_runs",
                    "delete_read_runs",
                    run_ids=[run_id for run_id in run_ids if run_id not in stored],
                )
