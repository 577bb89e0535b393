"""``wxyc demo``: runs the whole graph once on a sandbox station."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("demo", short_help="Run the whole graph on a sandbox station.")
def command() -> Outcome:
    """Start a sandbox station on this machine, run every asset on it through Dagster, and print what each run counted.

    The station stays in WXYC_HOME (or DATABASE_URL), so a second demo continues where the first one ended. Two
    assets wait for the shared budget of Discogs calls: the bar says until when. The demo stops what
    it started. `wxyc up` opens the Dagster UI on the same station.
    """
    click.echo("starting a sandbox station on this machine", err=True)  # the next import takes seconds
    from wxyc_assets.cli.demo_run import run_demo

    return run_demo()
