"""The sensor that repeats what schedules and the automation requested in vain because LML was down."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.assets.jobs import ASSET_JOBS
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.monitoring.lml_outage.rules import LmlRun, next_try, partitions_in_vain
from wxyc_assets.monitoring.lml_outage.store import database_now, lml_runs
from wxyc_assets.orchestration.dead_runs import sweep
from wxyc_assets.runs.partitions import range_tags, shard_ranges

REPEATED = ("album_metadata", "rotation_identity", "rotation_cache")
"""The assets whose requests this sensor repeats; ``stale_identities`` repeats its own."""


@dg.sensor(
    name="after_outage",
    jobs=[ASSET_JOBS[asset] for asset in REPEATED],
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,  # it repeats only what a schedule or a sensor requested
    description=(
        "Repeats the runs of schedules and sensors that LML did not answer: after 5 minutes, then after waits that double, of "
        "45 minutes at most, and at once when LML has answered another run. It repeats no run that you started yourself."
    ),
)
def after_outage(
    context: dg.SensorEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    billing_postgres: dg.ResourceParam[Postgres],
) -> dg.SensorResult | dg.SkipReason:
    """Request again what is due. The run key names the run that it repeats, so that no run is repeated twice."""
    sweep(context.instance, postgres, billing_postgres, context.log)
    with postgres.connect() as connection:
        runs, now = lml_runs(connection), database_now(connection)
    waiting: list[str] = []
    requests: list[dg.RunRequest] = []
    for asset in REPEATED:
        again = next_try(runs, asset)
        vain = {key: run for key, run in partitions_in_vain(runs, asset).items() if run.is_routine}
        if again and vain and now < again.at:
            waiting.append(f"{asset} at {again.at:%H:%M:%S} UTC")
        elif again and vain:
            requests += run_requests(asset, vain.items(), now)
    if requests:
        return dg.SensorResult(run_requests=requests)
    if waiting:
        return dg.SkipReason(f"LML did not answer; the next try of {', '.join(waiting)}")
    return dg.SkipReason("LML answered the last run of every schedule and sensor")


def run_requests(asset: str, vain: Iterable[tuple[str, LmlRun]], now: datetime) -> Iterator[dg.RunRequest]:
    """Request the partitions that LML did not answer, neighbouring shards as one run; a past day's cache is left out."""
    runs = dict(vain)
    job = ASSET_JOBS[asset].name
    match BY_NAME[asset].partitions:
        case "shards":
            for first, last in shard_ranges(int(key) for key in runs if key):
                repeated = {runs[str(shard)].run_id for shard in range(int(first), int(last) + 1)}
                key = f"after {' '.join(sorted(repeated))}: {first}-{last}"
                yield dg.RunRequest(run_key=key, job_name=job, tags=range_tags(first, last))
        case "today":
            today = now.astimezone(UTC).date().isoformat()
            for key, run in runs.items():
                if key == today or (not key and run.ended_at.astimezone(UTC).date().isoformat() == today):
                    yield dg.RunRequest(run_key=f"after {run.run_id}", job_name=job, partition_key=today)
        case _:
            for run in runs.values():
                yield dg.RunRequest(run_key=f"after {run.run_id}", job_name=job)
