"""``wxyc status``: the station at a glance."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("status", short_help="The station at a glance: what is fresh, late or failed, and what runs.")
def command() -> Outcome:
    """Show how every asset stands, what runs now, and the budget.

    For each asset: its partitions that are fresh, late, failed or were never built, its last good run, its oldest row and its
    open alerts. A partition has failed when the last run that was to do it did not; it is late when its time has come and
    nobody has done it again. `wxyc alerts` says more. It asks the database only, neither Dagster nor LML.
    """
    from wxyc_assets.cli.glance import look
    from wxyc_assets.cli.our_schema import reading

    with reading() as connection:
        glance = look(connection)
    for line in glance.told():
        click.echo(line, err=True)
    return Outcome(glance.printed())
