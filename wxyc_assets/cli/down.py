"""``wxyc down``: the embedded server."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("down", short_help="Stop the embedded PostgreSQL.")
def command() -> Outcome:
    """Stop the embedded PostgreSQL of WXYC_HOME, if it runs. Its data stays; the next command starts it again."""
    from wxyc_assets import databases
    from wxyc_assets.settings import HomeSettings, load

    return Outcome({"stopped": databases.embedded(load(HomeSettings)).stop()})
