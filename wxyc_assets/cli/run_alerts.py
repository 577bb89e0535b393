"""Updates the alerts after runs of the command line, as the sensor does, without waiting for the sensor."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext, suppress

import click
import dagster as dg
import psycopg

from resources.postgres import Postgres
from resources.secrets import Secrets
from wxyc_assets import factories
from wxyc_assets.cli.instance import STORAGE_GONE
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.database.sessions import open_sessions
from wxyc_assets.monitoring.alerts.event_log import scopes_of
from wxyc_assets.monitoring.alerts.tick import TickContext, run_tick
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings, RatingSettings, UiSettings, load

UPDATE_FAILED = (psycopg.Error, MigrationError, *STORAGE_GONE)


@contextmanager
def updating_alerts(
    instance: dg.DagsterInstance, databases: tuple[Postgres, Postgres], definitions: dg.Definitions
) -> Iterator[None]:
    """Update the alerts for the runs of the block when it ends, also by an error. If that fails, the sensor does it later.

    ``databases``: the station's, and that of the billing tables.

    Says so, but not after an error of the block, which has the same cause: a database that cannot be reached.
    """
    try:
        yield
    except BaseException:
        with suppress(*UPDATE_FAILED):
            _update_alerts(instance, databases, definitions)
        raise
    try:
        _update_alerts(instance, databases, definitions)
    except UPDATE_FAILED as error:
        click.echo(f"wxyc: the alerts are not updated, the sensor `alerts` does it later: {error}", err=True)


def _update_alerts(
    instance: dg.DagsterInstance, databases: tuple[Postgres, Postgres], definitions: dg.Definitions
) -> None:
    sender = factories.open_sentry_sender()
    tick = TickContext(
        scopes=scopes_of(definitions.get_repository_def().asset_checks_defs_by_key.values()),
        identity=load(IdentitySettings),
        flowsheet=load(FlowsheetSettings),
        rating=load(RatingSettings),
        redact=Secrets.of().redactor().plain,
        sender=sender,
        ui_url=load(UiSettings).ui_url,
    )
    with closing(sender) if sender else nullcontext(), open_sessions(*databases) as sessions:
        result = run_tick(tick, instance, sessions)
    if result.problem:
        click.echo(
            f"wxyc: the alerts are stored and not sent yet, the sensor `alerts` does it later: {result.problem}",
            err=True,
        )
