"""``wxyc migrate``: brings our own schema up to date."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("migrate", short_help="Bring schema wxyc_assets up to date.")
def command() -> Outcome:
    """Create or upgrade schema `wxyc_assets` in DATABASE_URL.

    Changes only that schema, never the station's tables. The role must own the schema, or have the right to create it. A second
    run changes nothing.
    """
    import psycopg
    from sqlalchemy.exc import OperationalError

    from resources.postgres import connect_error_advice
    from wxyc_assets.cli.outcome import CannotError
    from wxyc_assets.database import connections
    from wxyc_assets.database.migrate import migrate

    postgres = connections.open_postgres()
    try:
        before, after = migrate(postgres)
    except OperationalError as error:  # Alembic's connection wraps the error of psycopg
        if not isinstance(error.orig, psycopg.OperationalError):
            raise
        raise CannotError(connect_error_advice(error.orig, postgres)) from error
    except psycopg.OperationalError as error:
        raise CannotError(connect_error_advice(error, postgres)) from error
    printed = {"schema": "wxyc_assets", "database": postgres.location(), "before": before, "after": after}
    change = f"was at {after} already" if before == after else f"is at {after} now, before: {before or 'no schema'}"
    return Outcome(printed, lines=[f"schema wxyc_assets in {postgres.location()} {change}"])
