"""The 7-day staleness sensor: requests the shards of library_identity that hold libraries with a stale identity."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import psycopg

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets.assets.jobs import ASSET_JOBS
from wxyc_assets.monitoring.lml_outage.rules import next_try
from wxyc_assets.monitoring.lml_outage.store import database_now, lml_runs
from wxyc_assets.orchestration.dead_runs import GRACE, sweep
from wxyc_assets.runs.advisory_locks import held_units, unit
from wxyc_assets.runs.partitions import SHARD_COUNT, range_tags, shard_ranges
from wxyc_assets.settings import IdentitySettings

ASSET = "library_identity"
PENDING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING]


@dataclass(frozen=True)
class StaleShard:
    """A shard with eligible libraries. ``digest`` identifies them and their state; ``locked``: a run holds the shard's lock."""

    shard: int
    libraries: int
    digest: str
    locked: bool


def shards_to_request(
    stale: Iterable[StaleShard], *, busy: set[int], requested: Mapping[str, str], day: str, after: str = ""
) -> dict[int, str]:
    """Return the shards to request, each with the cursor entry that identifies the request. Pure.

    A shard is skipped while a run holds its lock or waits to start. It is also skipped if the same libraries were requested on
    this day already: a run that did not change them is repeated on the next day, and a run that LML did not answer is repeated
    sooner.

    Args:
        stale: the shards with eligible libraries.
        busy: shards that a waiting run covers, or whose lock a run held before ``stale`` was read.
        requested: the cursor entries of earlier requests, by shard key.
        day: the current day.
        after: the last run that LML did not answer; empty if there is none.
    """
    wanted = {}
    for shard in stale:
        entry = " ".join(filter(None, (day, shard.digest, after and f"after {after}")))
        if not shard.locked and shard.shard not in busy and requested.get(str(shard.shard)) != entry:
            wanted[shard.shard] = entry
    return wanted


def run_requests(wanted: Mapping[int, str]) -> list[dg.RunRequest]:
    """Request one run for each range of shards. Its run key identifies the request, so that a crash cannot repeat it."""
    requests = []
    for first, last in shard_ranges(wanted):
        entries = "\n".join(f"{shard} {wanted[shard]}" for shard in range(int(first), int(last) + 1))
        requests.append(
            dg.RunRequest(
                run_key=f"{first}-{last}-{hashlib.sha256(entries.encode()).hexdigest()[:32]}",
                tags=range_tags(first, last),
            )
        )
    return requests


@dg.sensor(
    name="stale_identities",
    job=ASSET_JOBS["library_identity"],
    minimum_interval_seconds=300,
    description=(
        "Requests each shard that holds libraries whose identity is older than STALE_THRESHOLD_DAYS or missing. It requests "
        "the same libraries once a day, and skips a shard while a run works on it. If LML did not answer, it requests them "
        "again after 5 minutes, then after waits that double, of 45 minutes at most."
    ),
)
def stale_identities(
    context: dg.SensorEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    billing_postgres: dg.ResourceParam[Postgres],
    identity_settings: dg.ResourceParam[IdentitySettings],
) -> dg.SensorResult | dg.SkipReason:
    """Request the stale shards. One query covers all shards, with the asset's own predicate."""
    sweep(context.instance, postgres, billing_postgres, context.log)
    with postgres.connect() as connection:
        # Read before the libraries: a run that ends in between changes them afterwards.
        busy = _pending_shards(context.instance) | _locked_shards(connection)
        stale = select_stale(connection, identity_settings)
        again = next_try(lml_runs(connection), ASSET)
        waits = again is not None and database_now(connection) < again.at
    if again and waits and stale:
        return dg.SkipReason(
            f"LML did not answer run {again.after.run_id}; the next try is at {again.at:%Y-%m-%d %H:%M:%S} UTC"
        )
    requested = json.loads(context.cursor) if context.cursor else {}
    day = datetime.now(UTC).date().isoformat()
    wanted = shards_to_request(
        stale, busy=busy, requested=requested, day=day, after=again.after.run_id if again else ""
    )
    if not wanted:
        return dg.SkipReason(_skip_reason(stale))
    todays = {key: entry for key, entry in requested.items() if entry.startswith(day)}
    return dg.SensorResult(
        run_requests=run_requests(wanted),
        cursor=json.dumps(todays | {str(shard): entry for shard, entry in wanted.items()}),
    )


def select_stale(connection: psycopg.Connection, settings: IdentitySettings) -> list[StaleShard]:
    """Return every shard with eligible libraries."""
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
    """Return the shards of this sensor's runs that wait to start."""
    pending: set[int] = set()
    for record in instance.get_run_records(
        dg.RunsFilter(statuses=PENDING, tags={"dagster/sensor_name": "stale_identities"})
    ):
        run = record.dagster_run
        first, last = (run.tags.get(tag) for tag in range_tags("", ""))
        abandoned = (
            run.status is dg.DagsterRunStatus.NOT_STARTED and datetime.now(UTC) - record.update_timestamp > GRACE
        )  # its daemon died between creating and queueing it: the run never starts
        if first and last and not abandoned:
            pending |= set(range(int(first), int(last) + 1))
    return pending


def _locked_shards(connection: psycopg.Connection) -> set[int]:
    units = {unit(ASSET, shard): shard for shard in range(SHARD_COUNT)}
    return {units[unit] for unit in held_units(connection, list(units))}


def _skip_reason(stale: list[StaleShard]) -> str:
    if not stale:
        return "no library is eligible: every identity is fresh, or its library waits for a retry"
    libraries = sum(shard.libraries for shard in stale)
    locked = sum(shard.locked for shard in stale)
    return (
        f"{libraries} libraries of {len(stale)} shards are eligible; runs work on {locked} of the shards, and for the others "
        "the same libraries were requested today already"
    )
