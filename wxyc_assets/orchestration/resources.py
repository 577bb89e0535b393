"""The objects that runs work with, as Dagster resources without any configuration: opened when a run starts, then closed."""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg

from resources.lml.client import LmlClient
from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.sentry_post import SentryPost
from wxyc_assets import databases, wiring
from wxyc_assets.operator import Operator
from wxyc_assets.settings import (
    AlbumSettings,
    FlowsheetSettings,
    IdentitySettings,
    LmlSettings,
    RatingSettings,
    RotationSettings,
    SettingsGroup,
    load,
)


@dg.resource(description="The station's PostgreSQL: DATABASE_URL, or the embedded server.")
def postgres(_context: dg.InitResourceContext) -> Postgres:
    """Open nothing yet: sessions are opened where they are used."""
    return databases.open_postgres()


@dg.resource(description="Errors and spans go to SENTRY_DSN, or nowhere.")
def sentry(_context: dg.InitResourceContext) -> Iterator[Sentry]:
    """Flush at the end of the run."""
    with closing(wiring.open_sentry_from()) as opened:
        yield opened


@dg.resource(description="Alerts go to SENTRY_DSN one by one, each with its answer awaited; None: there is no Sentry.")
def sentry_post(_context: dg.InitResourceContext) -> Iterator[SentryPost | None]:
    """Keep one connection for the alerts of one look."""
    post = wiring.open_sentry_post()
    try:
        yield post
    finally:
        if post:
            post.close()


@dg.resource(description="Log lines on stderr, and progress where a person launched the run.")
def operator(_context: dg.InitResourceContext) -> Operator:
    """Tell nobody of the progress."""
    return Operator(secrets=wiring.Secrets.of().texts)


@dg.resource(
    required_resource_keys={"postgres", "sentry", "operator"},
    description="LML at LIBRARY_METADATA_URL, called within the station's Discogs budget.",
)
def lml(context: dg.InitResourceContext) -> Iterator[LmlClient]:
    """Open the client of one run."""
    log = context.resources.operator.log("lml", context.run.run_id if context.run else "")
    with wiring.open_lml(context.resources.postgres, context.resources.sentry, log) as client:
        yield client


def _settings(group: type[SettingsGroup], description: str) -> dg.ResourceDefinition:
    """Return a resource that is one group of settings, read when the run starts."""
    return dg.ResourceDefinition(lambda _context: load(group), description=description)


SETTINGS = {
    "identity_settings": _settings(
        IdentitySettings, "When an identity is asked again: STALE_THRESHOLD_DAYS, UNRESOLVED_RETRY_DAYS."
    ),
    "album_settings": _settings(
        AlbumSettings, "How albums are asked about: BACKFILL_BULK_BATCH_SIZE, BACKFILL_BULK_BUDGET_MS."
    ),
    "flowsheet_settings": _settings(
        FlowsheetSettings, "How the flowsheet pass gives way to a DJ: LIVE_ACTIVITY_LOOKBACK_SECONDS."
    ),
    "rotation_settings": _settings(
        RotationSettings,
        "How the rotation is warmed, and where its gate asks: BACKFILL_LML_MAX_CONCURRENT, GITHUB_API_URL.",
    ),
    "rating_settings": _settings(
        RatingSettings, "What usage is rated with, and how far back: PRICE_FILE, RATE_TRAILING_HOURS."
    ),
    "lml_settings": _settings(
        LmlSettings, "The rates that a forecast needs: LML_DISCOGS_BUDGET_PER_MIN, LML_COST_LOOKUP_ITEM."
    ),
}


def default_resources() -> dict[str, dg.ResourceDefinition]:
    """Return every resource under the name that assets ask for."""
    return {
        "postgres": postgres,
        "sentry": sentry,
        "sentry_post": sentry_post,
        "operator": operator,
        "lml": lml,
        **SETTINGS,
    }
