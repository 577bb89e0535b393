"""Dagster's storage and a station in a test: what is in them, how old it is, and what Dagster shows of it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import dagster as dg
import psycopg
from dagster._core.scheduler.instigation import TickData, TickStatus
from psycopg import sql

from resources.postgres import Postgres
from tests.wxyc_assets.monitoring.alerts.scripted_asset import SPECS, ScriptedRuns
from wxyc_assets.retention.dagster_storage import storage_session
from wxyc_assets.retention.prune import Pruned, prune

MADE_UP = dg.AssetKey("made_up")
NINETY = timedelta(days=90)
TABLES = ("runs", "run_tags", "event_logs", "asset_event_tags", "asset_check_executions", "job_ticks", "bulk_actions")


@dataclass
class Storages:
    """A Dagster instance on PostgreSQL, a station, and the runs of a scripted asset."""

    runs: ScriptedRuns

    @property
    def instance(self) -> dg.DagsterInstance:
        return self.runs.instance

    @property
    def station(self) -> Postgres:
        return self.runs.postgres

    def prune(self, *, dry_run: bool = False, billing: Postgres | None = None) -> Pruned:
        return prune(self.instance, self.station, billing or self.station, NINETY, dry_run=dry_run)

    def counts(self, *, dry_run: bool = False) -> dict[str, int]:
        """What a prune removes, without the kinds of which there is nothing."""
        return {one.kind: one.count for one in self.prune(dry_run=dry_run).removed if one.count}

    def dagster(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with storage_session(self.instance) as session:
            cursor = session.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def station_rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.station.connect() as connection:
            cursor = connection.execute(query.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def age(self, *run_ids: str, days: int = 100) -> None:
        """Let runs, and all that is stored of them, be older."""
        ids, past = list(run_ids), f"{days} days"
        self.dagster(
            "UPDATE runs SET end_time = end_time - extract(epoch FROM %s::interval), "
            "update_timestamp = update_timestamp - %s::interval WHERE run_id = ANY (%s)",
            past,
            past,
            ids,
        )
        self.dagster("UPDATE event_logs SET timestamp = timestamp - %s::interval WHERE run_id = ANY (%s)", past, ids)
        self.station_rows(
            "UPDATE wxyc_assets.heard_run SET ended_at = ended_at - %s::interval WHERE run_id = ANY (%s)", past, ids
        )

    def add_ticks(self, state: Any, ages_days: list[float]) -> None:
        """Store ticks of a schedule or sensor of these ages."""
        for days in ages_days:
            at = self._now() - days * 86_400
            self.instance.create_tick(
                TickData(
                    state.instigator_origin_id, state.instigator_name, state.instigator_type, TickStatus.SKIPPED, at,
                    selector_id=state.selector_id, end_timestamp=at,
                )
            )  # fmt: skip

    def _now(self) -> float:
        ((now,),) = self.dagster("SELECT extract(epoch FROM clock_timestamp())::float8")
        return float(now)

    def stored(self) -> dict[str, list[str]]:
        """Every row of Dagster's storage that grows, and of our schema, as text."""
        with storage_session(self.instance) as session, self.station.connect() as connection:
            ours = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'wxyc_assets'").fetchall()
            return {
                **{name: _rows(session, sql.Identifier(name)) for name in TABLES},
                **{f"ours.{name}": _rows(connection, sql.Identifier("wxyc_assets", name)) for (name,) in ours},
            }

    def shown(self) -> dict[str, Any]:
        """What Dagster shows of the scripted asset: its partitions, its failed partitions, and its checks."""
        log = self.instance.event_log_storage
        keys = [spec.key for spec in SPECS]
        latest = log.get_latest_asset_check_execution_by_key(keys)
        partitions = log.get_latest_storage_id_by_partition(MADE_UP, dg.DagsterEventType.ASSET_MATERIALIZATION)
        (record,) = self.instance.get_asset_records([MADE_UP])
        return {
            "partitions": partitions,
            "materializations": {key: self._materialization(event_id) for key, event_id in partitions.items()},
            "runs": {key: self._run(event_id) for key, event_id in partitions.items()},
            "unfinished": log.get_latest_asset_partition_materialization_attempts_without_materializations(MADE_UP),
            "asset": (record.asset_entry.last_materialization_storage_id, record.asset_entry.last_run_id),
            "last_run": self._status(record.asset_entry.last_run_id),
            "checks": {key.name: (one.status, one.run_id, one.evaluation) for key, one in latest.items()},
            "check_runs": {key.name: self._status(one.run_id) for key, one in latest.items()},
        }

    def _materialization(self, event_id: int) -> str:
        ((event,),) = self.dagster("SELECT event FROM event_logs WHERE id = %s", event_id)
        return str(event)

    def _run(self, event_id: int) -> str | None:
        ((run_id,),) = self.dagster("SELECT run_id FROM event_logs WHERE id = %s", event_id)
        return self._status(str(run_id))

    def _status(self, run_id: str | None) -> str | None:
        run = self.instance.get_run_by_id(run_id or "")
        return run.status.value if run else None


def _rows(connection: psycopg.Connection, table: sql.Identifier) -> list[str]:
    return sorted(str(row[0]) for row in connection.execute(sql.SQL("SELECT t::text FROM {} t").format(table)))
