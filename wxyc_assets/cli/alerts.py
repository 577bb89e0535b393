"""``wxyc alerts``: lists the open alerts, closes those that cannot recover, and keeps who acknowledged what."""

from collections.abc import Iterable
from datetime import timedelta

import click

from wxyc_assets.cli.outcome import CannotError, Outcome

RECOVERED_WITHIN = timedelta(days=7)

ALERT_ID = click.IntRange(1, 2**63 - 1)


EXAMPLES = """\b
Examples:
  wxyc alerts --recovered
  wxyc alerts --ack 12 --reason "finance has credited the customer"
"""


@click.command("alerts", short_help="The open alerts, and since when.", epilog=EXAMPLES)
@click.option("--recovered", is_flag=True, help="Also list the alerts that recovered within the last 7 days.")
@click.option(
    "--close", "to_close", multiple=True, type=ALERT_ID, metavar="ID", help="Close an alert that cannot recover."
)
@click.option(
    "--ack",
    "to_ack",
    multiple=True,
    type=ALERT_ID,
    metavar="ID",
    help="Acknowledge an alert about money, and close it.",
)
@click.option("--reason", metavar="TEXT", help="With --ack: what was done about it; it is kept.")
@click.option("--by", "acknowledged_by", metavar="NAME", help="With --ack: who says so. Default: this user.")
def command(
    recovered: bool,
    to_close: tuple[int, ...],
    to_ack: tuple[int, ...],
    reason: str | None,
    acknowledged_by: str | None,
) -> Outcome:
    """List the open alerts: failed checks and runs, checks that could not be evaluated, late windows, stale shards.

    The most severe alert is first. The command works without SENTRY_DSN: the database keeps the alerts, and the sensor sends
    them to Sentry from there. Each alert names its section of docs/operations.md: what it means and what to do. An alert closes
    when it recovers. If no run will ever process its partition again, close it yourself: --close with its `alert_id`. An alert
    about money never closes by itself: --ack with a reason, which wxyc_assets.acknowledgement keeps.
    """
    from wxyc_assets.cli.alerts_view import AlertsView
    from wxyc_assets.cli.operator_name import operator_name
    from wxyc_assets.cli.schema_session import schema_session
    from wxyc_assets.cli.station import configured_ui_url
    from wxyc_assets.monitoring.alerts.queries import (
        OPEN_ONLY,
        acknowledge_alerts,
        close_alerts,
        on_money,
        select_alerts,
        select_heartbeat,
    )
    from wxyc_assets.settings import SentrySettings, load

    reason = (reason or "").strip()
    if to_ack and not reason:
        raise click.UsageError("--ack needs --reason: what was done about it")
    if (reason or acknowledged_by) and not to_ack:
        raise click.UsageError("--reason and --by belong to --ack")
    has_sentry = load(SentrySettings).dsn is not None
    with schema_session() as connection:
        with connection.transaction():  # all of them, or none
            if to_close and (money := on_money(connection, to_close)):
                raise CannotError(
                    f"{_named(money)}: about money: acknowledge it, with the reason: `wxyc alerts --ack ID --reason TEXT`"
                )
            by = operator_name(acknowledged_by)
            acked = acknowledge_alerts(connection, to_ack, reason=reason, acknowledged_by=by) if to_ack else set()
            if unknown := {*to_close, *to_ack} - close_alerts(connection, to_close) - acked:
                raise CannotError(
                    f"no alert is open under {_named(unknown)}, and none was closed: `wxyc alerts` lists them"
                )
        alerts = select_alerts(connection, RECOVERED_WITHIN if recovered else OPEN_ONLY)
        view = AlertsView(alerts, select_heartbeat(connection), has_sentry=has_sentry, ui_url=configured_ui_url())
    return Outcome(view.as_json(), lines=list(view.lines()))


def _named(alert_ids: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(alert_ids)))
