"""The 7-day staleness sensor: asks for the shards of library_identity that hold libraries whose identity needs asking."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import psycopg

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets.dead_runs import GRACE, sweep
from wxyc_assets.partitions import SHARD_COUNT, range_tags, shard_ranges
from wxyc_assets.settings import IdentitySettings
from wxyc_assets.single_flight import held_units, unit

PENDING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]


@dataclass(frozen=True)
class StaleShard:
    """A shard with libraries to ask about. ``digest`` tells which, and in what state; ``at_work``: a run holds its lock."""

    shard: int
    libraries: int
    digest: str
    at_work: bool


def decide(stale: Iterable[StaleShard], *, busy: set[int], asked: Mapping[str, str], window: str) -> dict[int, str]:
    """Return the shards to ask for, each with what to remember of it. Pure.

    A shard is left alone while a run holds its lock or waits to start, and when the very same libraries were asked for in
    this window already: a run that could not help is not repeated until the next one.

    Args:
        stale: the shards with libraries to ask about.
        busy: shards that a waiting run covers, or that a run was at work on before ``stale`` was read.
        asked: what was remembered, by shard key.
        window: the day, so that what failed today is tried again tomorrow.
    """
    wanted = {}
    for shard in stale:
        memory = f"{window} {shard.digest}"
        if not shard.at_work and shard.shard not in busy and asked.get(str(shard.shard)) != memory:
            wanted[shard.shard] = memory
    return wanted


def run_requests(wanted: Mapping[int, str]) -> list[dg.RunRequest]:
    """Ask for ranges rather than shards, under a key that names what is asked, so that no crash can ask it twice."""
    requests = []
    for first, last in shard_ranges(wanted):
        memories = "\n".join(f"{shard} {wanted[shard]}" for shard in range(int(first), int(last) + 1))
        requests.append(
            dg.RunRequest(
                run_key=f"{first}-{last}-{hashlib.sha256(memories.encode()).hexdigest()[:32]}",
                asset_selection=[dg.AssetKey("library_identity")],
                tags=range_tags(first, last),
            )
        )
    return requests


@dg.sensor(
    name="stale_identities",
    target=dg.AssetSelection.assets("library_identity"),
    minimum_interval_seconds=300,
    description=(
        "Asks for each shard that holds libraries whose identity is older than STALE_THRESHOLD_DAYS, or was never asked. "
        "The same libraries are asked for once a day at most; a shard that a run is at work on is left alone."
    ),
)
def stale_identities(
    context: dg.SensorEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    identity_settings: dg.ResourceParam[IdentitySettings],
) -> dg.SensorResult | dg.SkipReason:
    """One query for all shards, the asset's own predicate."""
    sweep(context.instance, postgres, context.log)
    with postgres.connect() as connection:
        # Before the libraries are read: a run that ends meanwhile has changed them since.
        busy = _pending_shards(context.instance) | _shards_at_work(connection)
        stale = select_stale(connection, identity_settings)
    asked = json.loads(context.cursor) if context.cursor else {}
    window = datetime.now(UTC).date().isoformat()
    wanted = decide(stale, busy=busy, asked=asked, window=window)
    if not wanted:
        return dg.SkipReason(_why_nothing(stale))
    remembered = {key: memory for key, memory in asked.items() if memory.startswith(window)}
    return dg.SensorResult(
        run_requests=run_requests(wanted),
        cursor=json.dumps(remembered | {str(shard): memory for shard, memory in wanted.items()}),
    )


def select_stale(connection: psycopg.Connection, settings: IdentitySettings) -> list[StaleShard]:
    """Return every shard with libraries to ask about."""
    rows = connection.execute(
        sql_files.load("sensors", "select_stale_shards"),
        {
            "shard_count": SHARD_COUNT,
            "stale_after": settings.stale_after,
            "retry_after": settings.retry_after,
            "include_null_canonical": settings.include_null_canonical,
        },
    )
    return [StaleShard(*row) for row in rows]


def _pending_shards(instance: dg.DagsterInstance) -> set[int]:
    """Return the shards that runs of this sensor cover which wait to start."""
    pending: set[int] = set()
    for record in instance.get_run_records(
        dg.RunsFilter(statuses=PENDING, tags={"dagster/sensor_name": "stale_identities"})
    ):
        run = record.dagster_run
        first, last = (run.tags.get(tag) for tag in range_tags("", ""))
        forgotten = (
            run.status is dg.DagsterRunStatus.NOT_STARTED and datetime.now(UTC) - record.update_timestamp > GRACE
        )  # its daemon died between making and queueing it: nobody will ever start it
        if first and last and not forgotten:
            pending |= set(range(int(first), int(last) + 1))
    return pending


def _shards_at_work(connection: psycopg.Connection) -> set[int]:
    units = {unit("library_identity", shard): shard for shard in range(SHARD_COUNT)}
    return {units[unit] for unit in held_units(connection, list(units))}


def _why_nothing(stale: list[StaleShard]) -> str:
    if not stale:
        return "every library that can be asked about has a fresh identity"
    libraries = sum(shard.libraries for shard in stale)
    at_work = sum(shard.at_work for shard in stale)
    return (
        f"{libraries} libraries of {len(stale)} shards need asking; {at_work} shards are being worked on, and for the others "
        "the same libraries were already asked for today"
    )
