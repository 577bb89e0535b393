"""``wxyc demo``: the whole graph once, on a sandbox station."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("demo", short_help="A sandbox station, the whole graph once, a summary.")
def command() -> Outcome:
    """Bring up a sandbox station on this machine, run every asset on it through Dagster, and say what came of it.

    The station is kept in WXYC_HOME (or DATABASE_URL), so a second demo works on what the first one left. What the demo
    started, it stops. `wxyc up` opens the Dagster UI on the same station.
    """
    from wxyc_assets.cli.tour import tour

    return tour()
