"""Dagster resources without configuration: each yields a plain object, opened when a run starts and closed when it ends."""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg

from resources.lml.client import LmlClient
from resources.postgres import Postgres
from resources.secrets import Secrets
from resources.sentry import Sentry
from resources.sentry_sender import SentrySender
from wxyc_assets import factories
from wxyc_assets.database import connections
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import (
    AlbumSettings,
    FlowsheetSettings,
    IdentitySettings,
    LmlSettings,
    RatingSettings,
    RetentionSettings,
    RotationSettings,
    SettingsGroup,
    UiSettings,
    load,
)


@dg.resource(description="The station's PostgreSQL: DATABASE_URL, or the embedded server.")
def postgres(_context: dg.InitResourceContext) -> Postgres:
    """Return the station's PostgreSQL; sessions are opened where they are used."""
    return connections.open_postgres()


@dg.resource(description="The PostgreSQL of the billing tables: BILLING_DATABASE_URL, or the station's.")
def billing_postgres(_context: dg.InitResourceContext) -> Postgres:
    """Return the database of the billing tables; sessions are opened where they are used."""
    return connections.open_billing()


@dg.resource(description="Errors and spans go to SENTRY_DSN, or nowhere.")
def sentry(_context: dg.InitResourceContext) -> Iterator[Sentry]:
    """Yield the Sentry client and flush it at the end of the run."""
    with closing(factories.open_sentry_from()) as opened:
        yield opened


@dg.resource(description="Alerts go to SENTRY_DSN one by one, each acknowledged by Sentry; None without a DSN.")
def sentry_sender(_context: dg.InitResourceContext) -> Iterator[SentrySender | None]:
    """Yield one HTTP connection for the alerts of one tick."""
    post = factories.open_sentry_sender()
    try:
        yield post
    finally:
        if post:
            post.close()


@dg.resource(description="Log lines on stderr, and progress where the run was launched on a terminal.")
def console(_context: dg.InitResourceContext) -> RunConsole:
    """Return a console without progress: `wxyc run` replaces it on a terminal."""
    return RunConsole(secrets=Secrets.of().texts)


@dg.resource(
    required_resource_keys={"postgres", "billing_postgres", "sentry", "console"},
    description="LML at LIBRARY_METADATA_URL, called within the station's Discogs budget.",
)
def lml(context: dg.InitResourceContext) -> Iterator[LmlClient]:
    """Yield the LML client of one run."""
    console = context.resources.console
    log = console.log("lml", context.run.run_id if context.run else "")
    resources = context.resources
    with factories.open_lml(
        resources.postgres, resources.billing_postgres, resources.sentry, log, console.progress
    ) as client:
        yield client


def _settings(group: type[SettingsGroup], description: str) -> dg.ResourceDefinition:
    """Return a resource that reads one group of settings when the run starts."""
    return dg.ResourceDefinition(lambda _context: load(group), description=description)


SETTINGS = {
    "identity_settings": _settings(
        IdentitySettings, "When an identity is resolved again: STALE_THRESHOLD_DAYS, UNRESOLVED_RETRY_DAYS."
    ),
    "album_settings": _settings(
        AlbumSettings, "How albums are looked up: BACKFILL_BULK_BATCH_SIZE, BACKFILL_BULK_BUDGET_MS."
    ),
    "flowsheet_settings": _settings(
        FlowsheetSettings,
        "Which plays are the enrichment worker's, and when the flowsheet pass pauses: FLOWSHEET_GRACE_MINUTES.",
    ),
    "rotation_settings": _settings(
        RotationSettings,
        "How the cache is warmed, and where the deploy gate compares commits: BACKFILL_LML_MAX_CONCURRENT, GITHUB_API_URL.",
    ),
    "rating_settings": _settings(
        RatingSettings, "The price file, and how many hours a routine run rates: PRICE_FILE, RATE_TRAILING_HOURS."
    ),
    "retention_settings": _settings(RetentionSettings, "How long journals are kept: PRUNE_AFTER_DAYS."),
    "ui_settings": _settings(UiSettings, "Where the UI is, for the links of alerts: WXYC_UI_URL."),
    "lml_settings": _settings(
        LmlSettings, "The budget and the costs that a forecast needs: LML_DISCOGS_BUDGET_PER_MIN, LML_COST_LOOKUP_ITEM."
    ),
}


def default_resources() -> dict[str, dg.ResourceDefinition]:
    """Return every resource under the name that assets require."""
    return {
        "postgres": postgres,
        "billing_postgres": billing_postgres,
        "sentry": sentry,
        "sentry_sender": sentry_sender,
        "console": console,
        "lml": lml,
        **SETTINGS,
    }
