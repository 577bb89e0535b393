"""``wxyc down``: stops the embedded server."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("down", short_help="Stop the embedded PostgreSQL.")
@click.option("--force", is_flag=True, help="Also beside `wxyc up` or `wxyc demo`: end `wxyc up` first.")
def command(force: bool) -> Outcome:
    """Stop the embedded PostgreSQL of WXYC_HOME, if it runs. Its data stays. The next command that needs it starts it again.

    Refuses while `wxyc up` or `wxyc demo` uses it.
    """
    from wxyc_assets.cli.services.stop_station import stop_station
    from wxyc_assets.settings import HomeSettings, load

    stopped = stop_station(load(HomeSettings), force=force)
    return Outcome({"stopped": stopped}, lines=["PostgreSQL stopped" if stopped else "PostgreSQL was not running"])
