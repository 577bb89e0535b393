"""An asset that does what a test tells it to, run by Dagster itself, and the outbox that hears of its runs."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from resources.redaction import Redactor
from wxyc_assets.alerts.hearing import Listener
from wxyc_assets.alerts.reading import scopes_of
from wxyc_assets.check_results import check_results
from wxyc_assets.check_specs import check_specs
from wxyc_assets.finding import Finding
from wxyc_assets.partitions import range_tags
from wxyc_assets.partitions_dagster import SHARDS

SPECS = check_specs(
    "made_up",
    {"of_shards": "", "of_it_all": "", "blocks": "", "is_watched": ""},
    blocking={"blocks"},
    scopes={"of_it_all": "asset", "is_watched": "watched"},
)


class Orders(dg.Config):
    """What a run is to do: shards that it misses, an exception, checks that fail, and whether it is dry."""

    misses: list[str] = Field(default_factory=list)
    raises: str = ""
    fails: list[str] = Field(default_factory=list)
    warns: list[str] = Field(default_factory=list)
    blamed: list[str] = Field(default_factory=list)
    dry_run: bool = False


@dg.multi_asset(
    name="made_up",
    specs=[dg.AssetSpec("made_up", skippable=True)],
    check_specs=SPECS,
    partitions_def=SHARDS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,
)
def made_up(context: dg.AssetExecutionContext, config: Orders) -> Iterator[dg.AssetCheckResult]:
    """Do it."""
    for shard in context.partition_keys:
        if shard not in config.misses and not config.dry_run:
            context.log_event(dg.AssetMaterialization("made_up", partition=shard))
    if config.raises:
        raise RuntimeError("it went wrong") from LookupError(config.raises)
    yield from check_results(
        Finding(
            spec.name,
            passed=spec.name not in {*config.fails, *config.warns},
            severity="WARN" if spec.name in config.warns else "ERROR",
            numbers={"rows": 3},
            partitions=config.blamed if spec.name in config.fails else (),
        )
        for spec in SPECS
    )
    if config.misses:
        raise dg.Failure(f"shards {', '.join(config.misses)} could not be done", allow_retries=False)


DEFS = dg.Definitions(assets=[made_up], executor=dg.in_process_executor)


@dataclass
class Heard:
    """Runs of it on an instance, and what the outbox makes of them."""

    instance: dg.DagsterInstance
    postgres: Postgres
    secrets: Sequence[str] = field(default=("hunter2-the-secret",))

    def run(self, first: int = 0, last: int = 3, **orders: Any) -> str:
        """Run it over some shards and return the run's id."""
        run_id = str(uuid.uuid4())
        DEFS.resolve_implicit_global_asset_job_def().execute_in_process(
            instance=self.instance,
            run_id=run_id,
            asset_selection=[dg.AssetKey("made_up")],
            raise_on_error=False,
            tags=range_tags(str(first), str(last)),
            run_config={
                "ops": {"made_up": {"config": orders}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
        )
        return run_id

    def listen(self) -> int:
        """Hear what there is to hear."""
        with self.postgres.connect() as connection:
            return self.listener(connection).listen()

    def listener(self, connection: Any) -> Listener:
        return Listener(self.instance, connection, scopes_of([made_up]), Redactor(self.secrets).plain)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.postgres.connect() as connection:
            return connection.execute(query).fetchall()

    def alerts(self, *, closed: bool = False) -> dict[str, tuple[list[str], int]]:
        """The alerts that are open, or closed: by fingerprint, what has to recover and how often they were seen."""
        state = "IS NOT NULL" if closed else "IS NULL"
        rows = self.rows(
            f"SELECT fingerprint, partitions, occurrences FROM wxyc_assets.alert WHERE closed_at {state} ORDER BY alert_id"
        )
        return {fingerprint: (partitions, occurrences) for fingerprint, partitions, occurrences in rows}
