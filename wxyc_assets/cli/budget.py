"""``wxyc budget``: the shared budget of Discogs calls."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("budget", short_help="The shared budget of Discogs calls: its use, who waits, when it would be done.")
def command() -> Outcome:
    """Show what of LML_DISCOGS_BUDGET_PER_MIN was used in the last minute, which runs wait for it, and when they would be done.

    The forecast is the runs' own estimate: what LML has in its cache costs less. What a run that is not
    under way would need, its dry run says: `wxyc run album_metadata --dry-run`.
    """
    from wxyc_assets.cli.our_schema import reading
    from wxyc_assets.cli.spending import spending
    from wxyc_assets.settings import LmlSettings, load

    settings = load(LmlSettings)
    with reading() as connection:
        seen = spending(connection, settings.discogs_budget_per_min)
    for line in filter(None, (*seen.told(), settings.budget_warning)):
        click.echo(line, err=True)
    return Outcome(seen.printed())
