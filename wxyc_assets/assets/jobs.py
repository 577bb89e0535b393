"""The job of each asset, which schedules, sensors and the command line launch: each job has its own lane on the timeline."""

import dagster as dg

from wxyc_assets.assets.registry import ASSETS

ASSET_JOBS = {
    info.name: dg.define_asset_job(
        info.job,
        selection=[info.name],
        description=f"Materializes {info.name}, with its checks. It writes: {info.dry_run_job} shows what it would do.",
        config={"ops": {info.name: {"config": info.default_config}}} if info.default_config else None,
    )
    for info in ASSETS
}
"""By the name of the asset. Dagster launches a backfill and the automation outside of any job; the timeline says so."""

OBSERVATION_JOB = dg.define_asset_job(
    "observe_station",
    selection=["library", "flowsheet", "rotation", "billing_event", "price_book"],
    description="Observes what others own: counts the rows of the station's tables, and checks the price file. It only reads.",
)
"""The job that observes the external assets."""
