"""The code location: the one module that imports everything. Nothing imports it; Dagster loads it by name.

Importing it reads no setting and opens nothing. When Dagster loads it, it reads one setting, BILLING_START, because Dagster
has to know the partitions. All other settings become objects when a run starts and never become Dagster configuration, so
that no snapshot and no page of the UI can hold a secret.
"""

from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from sensors.after_outage import after_outage
from sensors.alerts import alerts
from sensors.automation import automation
from sensors.dead_runs import dead_runs
from sensors.observation import observe_station
from sensors.rated_usage import rate_trailing_hours, seal_old_hours
from sensors.retention import prune_old_storage
from sensors.rotation import daily_rotation_cache, nightly_rotation_identity
from sensors.rotation_days import rotation_days
from sensors.staleness import stale_identities
from wxyc_assets.assets.album_metadata.asset import album_metadata, album_metadata_checks
from wxyc_assets.assets.album_metadata.dry_run import dry_run_album_metadata
from wxyc_assets.assets.flowsheet_enrichment.asset import flowsheet_enrichment, flowsheet_enrichment_checks
from wxyc_assets.assets.flowsheet_enrichment.dry_run import dry_run_flowsheet_enrichment
from wxyc_assets.assets.jobs import ASSET_JOBS, OBSERVATION_JOB
from wxyc_assets.assets.library_identity.asset import library_identity, library_identity_checks
from wxyc_assets.assets.library_identity.dry_run import dry_run_library_identity
from wxyc_assets.assets.price_book.asset import price_book
from wxyc_assets.assets.rated_usage.asset import rated_usage, rated_usage_checks
from wxyc_assets.assets.rated_usage.dry_run import plan_rated_usage
from wxyc_assets.assets.rated_usage.seal_job import seal_hours
from wxyc_assets.assets.rotation_cache.asset import rotation_cache, rotation_cache_checks
from wxyc_assets.assets.rotation_cache.dry_run import dry_run_rotation_cache
from wxyc_assets.assets.rotation_identity.asset import rotation_identity, rotation_identity_checks
from wxyc_assets.assets.rotation_identity.dry_run import dry_run_rotation_identity
from wxyc_assets.assets.sources import billing_event, flowsheet, library, rotation
from wxyc_assets.orchestration.partitions import hours_since
from wxyc_assets.orchestration.resources import default_resources
from wxyc_assets.retention.job import prune_storage
from wxyc_assets.runs.partitions import FIRST_HOUR
from wxyc_assets.settings import RatingSettings, SettingsError, load


def build_defs(**overrides: object) -> dg.Definitions:
    """Return the definitions; ``overrides`` replace resources by name, with plain objects if need be."""
    return _definitions(FIRST_HOUR, overrides)


def _definitions(first_hour: datetime, overrides: Mapping[str, object]) -> dg.Definitions:
    hours = hours_since(first_hour)
    return dg.Definitions(
        assets=[
            library,
            flowsheet,
            rotation,
            billing_event,
            price_book,
            library_identity,
            album_metadata,
            flowsheet_enrichment,
            rotation_identity,
            rotation_cache,
            rated_usage.map_asset_specs(lambda spec: spec.replace_attributes(partitions_def=hours)),
        ],
        asset_checks=[
            library_identity_checks,
            album_metadata_checks,
            flowsheet_enrichment_checks,
            rotation_identity_checks,
            rotation_cache_checks,
            rated_usage_checks,
        ],
        jobs=[
            *ASSET_JOBS.values(),
            OBSERVATION_JOB,
            dry_run_library_identity,
            dry_run_album_metadata,
            dry_run_flowsheet_enrichment,
            dry_run_rotation_identity,
            dry_run_rotation_cache,
            plan_rated_usage,
            seal_hours,
            prune_storage,
        ],
        schedules=[
            observe_station,
            nightly_rotation_identity,
            daily_rotation_cache,
            rate_trailing_hours,
            seal_old_hours,
            prune_old_storage,
        ],
        sensors=[stale_identities, automation, after_outage, dead_runs, rotation_days, alerts],
        resources={**default_resources(), **overrides},
        executor=dg.in_process_executor,
    )


defs = build_defs()
"""With every hour that can be rated: for tests and tools."""


@dg.definitions
def code_location() -> dg.Definitions:
    """Return what Dagster loads. A run of rated_usage refuses a BILLING_START that cannot be used; the other assets go on."""
    try:
        first_hour = load(RatingSettings).first_hour
    except SettingsError:
        first_hour = FIRST_HOUR
    return _definitions(first_hour, {})
