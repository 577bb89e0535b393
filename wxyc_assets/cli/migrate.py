"""``wxyc migrate``: our own schema."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("migrate", short_help="Bring our own schema, wxyc_assets, up to date.")
def command() -> Outcome:
    """Make or upgrade schema `wxyc_assets` in DATABASE_URL.

    Only that schema is touched, never the station's tables; the role needs to own it, or the right to create it. Running it
    again changes nothing.
    """
    import psycopg

    from resources.postgres import connect_error_advice
    from wxyc_assets import databases
    from wxyc_assets.cli.outcome import CannotError
    from wxyc_assets.migrate import migrate

    postgres = databases.open_postgres()
    try:
        before, after = migrate(postgres)
    except psycopg.OperationalError as error:
        raise CannotError(connect_error_advice(error, postgres)) from error
    return Outcome({"schema": "wxyc_assets", "database": postgres.where(), "before": before, "after": after})
