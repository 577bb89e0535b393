"""The code location: the one place that knows everything. Nothing imports it; Dagster loads it by name.

Loading it reads no setting, opens nothing and needs an empty environment only. Settings become objects when a run starts,
and never Dagster configuration, so that no snapshot and no page of the UI can hold a secret.
"""

import dagster as dg

from sensors.alerts import alerts
from sensors.automation import automation
from sensors.dead_runs import dead_runs
from sensors.observation import observe_station
from sensors.rated_usage import rate_trailing_hours
from sensors.rotation import daily_rotation_cache, nightly_rotation_identity
from sensors.staleness import stale_identities
from wxyc_assets.album_metadata.asset import album_metadata
from wxyc_assets.flowsheet_enrichment.asset import flowsheet_enrichment
from wxyc_assets.library_identity.asset import library_identity
from wxyc_assets.price_book.asset import price_book
from wxyc_assets.rated_usage.asset import rated_usage
from wxyc_assets.rotation_cache.asset import rotation_cache
from wxyc_assets.rotation_identity.asset import rotation_identity
from wxyc_assets.station_sources import billing_event, flowsheet, library, rotation
from wxyc_assets.wiring_dagster import default_resources


def build_defs(**overrides: object) -> dg.Definitions:
    """Return the definitions; ``overrides`` replace resources by name, with plain objects if need be."""
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
            rated_usage,
        ],
        schedules=[observe_station, nightly_rotation_identity, daily_rotation_cache, rate_trailing_hours],
        sensors=[stale_identities, automation, dead_runs, alerts],
        resources={**default_resources(), **overrides},
        executor=dg.in_process_executor,
    )


defs = build_defs()
