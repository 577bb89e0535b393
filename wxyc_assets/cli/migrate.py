"""``wxyc migrate``: brings our own schema up to date."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from wxyc_assets.cli.outcome import Outcome

if TYPE_CHECKING:
    from resources.postgres import Postgres


@click.command("migrate", short_help="Bring schema wxyc_assets up to date.")
def command() -> Outcome:
    """Create or upgrade schema `wxyc_assets` in DATABASE_URL, and in BILLING_DATABASE_URL if that is set.

    Changes only that schema, never the station's tables. The role must own the schema, or have the right to create it. A second
    run changes nothing.
    """
    from wxyc_assets.database import connections

    databases = connections.distinct(connections.open_postgres(), connections.open_billing())
    station, *billing = [_migrate(postgres) for postgres in databases]
    printed = {**station, **({"billing": billing[0]} if billing else {})}
    return Outcome(printed, lines=[_sentence(migrated) for migrated in (station, *billing)])


def _migrate(postgres: "Postgres") -> dict[str, Any]:
    """Migrate one database; return the object that the command prints of it."""
    import psycopg
    from sqlalchemy.exc import OperationalError

    from resources.postgres import connect_error_advice
    from wxyc_assets.cli.outcome import CannotError
    from wxyc_assets.database.migrate import migrate

    try:
        before, after = migrate(postgres)
    except OperationalError as error:  # Alembic's connection wraps the error of psycopg
        if not isinstance(error.orig, psycopg.OperationalError):
            raise
        raise CannotError(connect_error_advice(error.orig, postgres)) from error
    except psycopg.OperationalError as error:
        raise CannotError(connect_error_advice(error, postgres)) from error
    return {"schema": "wxyc_assets", "database": postgres.location(), "before": before, "after": after}


def _sentence(printed: Mapping[str, Any]) -> str:
    before, after = printed["before"], printed["after"]
    change = f"was at {after} already" if before == after else f"is at {after} now, before: {before or 'no schema'}"
    return f"schema wxyc_assets in {printed['database']} {change}"
