"""``wxyc budget``: the shared budget of Discogs calls."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("budget", short_help="The shared budget of Discogs calls.")
def command() -> Outcome:
    """Show how much of LML_DISCOGS_BUDGET_PER_MIN the last minute used, which runs wait for it, and when they would be done.

    The forecast is the runs' own estimate; an answer from LML's cache costs less. For a run that has not started, its dry run
    says how many calls it needs: `wxyc run album_metadata --dry-run`.
    """
    from wxyc_assets.cli.budget_view import read_budget
    from wxyc_assets.cli.schema_session import schema_session
    from wxyc_assets.settings import LmlSettings, load

    settings = load(LmlSettings)
    with schema_session() as connection:
        view = read_budget(connection, settings.discogs_budget_per_min)
    return Outcome(view.as_json(), lines=[line for line in (*view.lines(), settings.budget_warning) if line])
