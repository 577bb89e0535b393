"""The job that seals rated hours which are old enough, for its schedule and for the UI."""

from datetime import UTC, datetime, timedelta

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.assets.rated_usage.seals.sealing import SealError, SealRequest, hours_to_seal, seal
from wxyc_assets.assets.rated_usage.unbilled.search import search_window
from wxyc_assets.database.revision import require_migrated
from wxyc_assets.runs.partitions import floor_hour, hour_key
from wxyc_assets.settings import RatingSettings


@dg.op(name="seal_rated_hours", description="Seals every rated hour that is older than SEAL_AFTER_HOURS, in order.")
def seal_hours_op(
    context: dg.OpExecutionContext,
    billing_postgres: dg.ResourceParam[Postgres],
    rating_settings: dg.ResourceParam[RatingSettings],
) -> None:
    """Seal the hours. Fails at the first hour that cannot be sealed, with the reason; the hours before it are sealed."""
    now = datetime.now(UTC)
    search = search_window(now, rating_settings.trailing_hours, rating_settings.first_hour)
    until = min(floor_hour(now - timedelta(hours=rating_settings.seal_after_hours)), search.trailing_start)
    request = SealRequest(until, search, made_by=f"run {context.run.run_id}")
    sealed = 0
    try:
        with billing_postgres.connect() as connection:
            require_migrated(connection)
            hours = hours_to_seal(connection, request)
        for entry in seal(billing_postgres, hours, request):
            sealed += 1
            context.log.info("sealed %s: %s", hour_key(entry.hour), entry.digest)
    except SealError as error:
        raise dg.Failure(f"{error}; {sealed} hours were sealed before it", allow_retries=False) from None
    context.log.info("%d hours sealed, until %s", sealed, hour_key(until))


@dg.job(
    name="seal_hours",
    description=(
        "Seals rated hours that are older than SEAL_AFTER_HOURS, so that no run changes their bills. `wxyc seal` does the same "
        "from a terminal, and opens hours again; `wxyc verify` proves that nothing has changed since."
    ),
    executor_def=dg.in_process_executor,
)
def seal_hours() -> None:
    """Seal old hours."""
    seal_hours_op()
