"""An asset that follows a test's script, run by Dagster itself, and the outbox that ingests its runs."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from resources.redaction import Redactor
from wxyc_assets.database.sessions import Sessions
from wxyc_assets.monitoring.alerts.event_log import scopes_of
from wxyc_assets.monitoring.alerts.ingest import RunIngester
from wxyc_assets.orchestration.checks import check_results, check_specs
from wxyc_assets.orchestration.partitions import SHARDS
from wxyc_assets.runs.findings import Check, Finding
from wxyc_assets.runs.partitions import range_tags

SPECS = check_specs(
    "made_up",
    (
        Check("of_shards", ""),
        Check("of_it_all", "", scope="asset"),
        Check("blocks", "", blocking=True),
        Check("is_watched", "", scope="watched"),
    ),
)


class ScriptConfig(dg.Config):
    """The script of a run: shards that it misses, an exception, and checks that fail."""

    misses: list[str] = Field(default_factory=list)
    raises: str = ""
    interrupted: bool = False
    fails: list[str] = Field(default_factory=list)
    warns: list[str] = Field(default_factory=list)
    attributed: list[str] = Field(default_factory=list)


@dg.multi_asset(
    name="made_up",
    specs=[dg.AssetSpec("made_up", skippable=True)],
    check_specs=SPECS,
    partitions_def=SHARDS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,
)
def made_up(context: dg.AssetExecutionContext, config: ScriptConfig) -> Iterator[dg.AssetCheckResult]:
    """Follow the script."""
    for shard in context.partition_keys:
        if shard not in config.misses:
            context.log_event(dg.AssetMaterialization("made_up", partition=shard))
    if config.interrupted:
        raise dg.DagsterExecutionInterruptedError
    if config.raises:
        raise RuntimeError("the script failed") from LookupError(config.raises)
    yield from check_results(
        Finding(
            spec.name,
            passed=spec.name not in {*config.fails, *config.warns},
            severity="WARN" if spec.name in config.warns else "ERROR",
            numbers={"rows": 3},
            partitions=config.attributed if spec.name in config.fails else (),
        )
        for spec in SPECS
    )
    if config.misses:
        raise dg.Failure(f"shards {', '.join(config.misses)} could not be done", allow_retries=False)


DEFS = dg.Definitions(assets=[made_up], executor=dg.in_process_executor)


@dataclass
class ScriptedRuns:
    """Runs of the asset on an instance, and the outbox."""

    instance: dg.DagsterInstance
    postgres: Postgres
    secrets: Sequence[str] = field(default=("hunter2-the-secret",))

    def run(self, first: int = 0, last: int = 3, **config: Any) -> str:
        """Run the asset over some shards and return the run's id."""
        run_id = str(uuid.uuid4())
        DEFS.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            run_id=run_id,
            asset_selection=[dg.AssetKey("made_up")],
            raise_on_error=False,
            tags=range_tags(str(first), str(last)),
            run_config={
                "ops": {"made_up": {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
        return run_id

    def ingest(self) -> int:
        """Ingest what has ended; return how many runs that were."""
        with self.postgres.connect() as connection:
            return self.ingester(connection).ingest()

    def ingester(self, connection: Any) -> RunIngester:
        return RunIngester(
            self.instance, Sessions(connection, connection), scopes_of([made_up]), Redactor(self.secrets).plain
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.postgres.connect() as connection:
            return connection.execute(query).fetchall()

    def alerts(self, *, closed: bool = False) -> dict[str, tuple[list[str], int]]:
        """The alerts that are open, or closed: by fingerprint, what has to recover and how many occurrences they have."""
        state = "IS NOT NULL" if closed else "IS NULL"
        rows = self.rows(
            f"SELECT fingerprint, partitions, occurrences FROM wxyc_assets.alert WHERE closed_at {state} ORDER BY alert_id"
        )
        return {fingerprint: (partitions, occurrences) for fingerprint, partitions, occurrences in rows}
