"""``wxyc status``: the state of every asset, from the database alone."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("status", short_help="The station: fresh, late, failed, running.")
def command() -> Outcome:
    """Show the state of every asset, the running runs, and the budget.

    For each asset: how many of its partitions are fresh, late, failed or never done, its last good run, how long its oldest
    input has waited, and its open alerts. A partition has failed if the last run that was to do it did not. A partition is late
    if it is due and no run has done it since. A good run did all of its partitions without an anomaly: `wxyc run` exited 0.
    `wxyc alerts` says more. The command reads the database only; it asks neither Dagster nor LML.
    """
    from wxyc_assets.cli.schema_session import both_sessions
    from wxyc_assets.cli.status_view import read_status

    with both_sessions() as sessions:
        view = read_status(sessions)
    return Outcome(view.as_json(), lines=list(view.lines()))
