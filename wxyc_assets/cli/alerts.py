"""``wxyc alerts``: what is wrong, as the outbox has it."""

from datetime import timedelta

import click

from wxyc_assets.cli.outcome import CannotError, Outcome

RECOVERED_WITHIN = timedelta(days=7)

ALERT_ID = click.IntRange(1, 2**63 - 1)


@click.command("alerts", short_help="What is wrong, and since when; whether Sentry knows.")
@click.option("--recovered", is_flag=True, help="Also what has recovered within the last 7 days.")
@click.option(
    "--close", "to_close", multiple=True, type=ALERT_ID, metavar="ID", help="Close an alert that cannot recover."
)
def command(recovered: bool, to_close: tuple[int, ...]) -> Outcome:
    """List the open alerts: failed checks and runs, checks that could not be evaluated, late windows, stale shards.

    The worst come first. Nobody needs a SENTRY_DSN for that: alerts are kept in the database, and told to Sentry from there.
    What each means and what to do about it is in docs/operations.md, under its name. An alert is closed when it has recovered;
    of what nobody will ever do again, such as a partition that was given up, a person closes it: --close with its `alert_id`.
    """
    from wxyc_assets.alerts.listing import NOTHING, close, listed, watch
    from wxyc_assets.cli.bulletin import Bulletin
    from wxyc_assets.cli.our_schema import reading
    from wxyc_assets.settings import SentrySettings, load

    has_sentry = load(SentrySettings).dsn is not None
    with reading() as connection:
        with connection.transaction():  # all of them, or none
            if unknown := set(to_close) - close(connection, to_close):
                named = ", ".join(map(str, sorted(unknown)))
                raise CannotError(f"no alert is open under {named}, and none was closed: `wxyc alerts` lists them")
        bulletin = Bulletin(
            listed(connection, RECOVERED_WITHIN if recovered else NOTHING), watch(connection), has_sentry=has_sentry
        )
    for line in bulletin.told():
        click.echo(line, err=True)
    return Outcome(bulletin.printed())
