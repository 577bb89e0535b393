"""``wxyc rated``: the usage that is not billed and who accepted that, and the bills that are not posted."""

import click

from wxyc_assets.cli.outcome import CannotError, Outcome

EXAMPLES = """\b
Examples:
  wxyc rated accept --hour 2026-06-08T10:00:00Z --reason "a load test"
  wxyc rated accept --until 2026-06-01T00:00:00Z --reason "billed by the predecessor until June"
  wxyc rated accept --misdated --reason "a gateway without a clock"
"""


@click.group("rated", short_help="Usage that is not billed, and bills that are not posted.", no_args_is_help=True)
def command() -> None:
    """List unbilled events, accept those that are not to be billed, and record which changed bills token-push has posted."""


@command.command("unbilled", short_help="The events that no rating has seen.")
def unbilled() -> Outcome:
    """List the hours outside the trailing ones whose events no rating has seen, and the events with an impossible time.

    `wxyc run rated_usage --late` bills those of hours, and with --plan shows what that moves. The search reads what was stored
    since the last one; the first search reads every event.
    """
    from wxyc_assets.cli.schema_session import billing_session
    from wxyc_assets.cli.unbilled_view import UnbilledView, search

    with billing_session() as connection:
        view = UnbilledView(search(connection))
    return Outcome(view.as_json(), lines=list(view.lines()))


@command.command("accept", short_help="Take events off the list without billing them.", epilog=EXAMPLES)
@click.option(
    "--hour", "hours", multiple=True, metavar="H", help="An hour, such as 2026-06-08T10:00:00Z; may be repeated."
)
@click.option("--until", metavar="T", help="All hours before T: the starting line of a station that was billed before.")
@click.option("--misdated", is_flag=True, help="The events with an impossible time.")
@click.option("--reason", required=True, metavar="TEXT", help="Why they are not billed; it is kept.")
@click.option("--dry-run", is_flag=True, help="Only list what would be accepted.")
@click.option("--by", "accepted_by", metavar="NAME", help="Who says so. Default: the user of this process.")
def accept(
    hours: tuple[str, ...],
    until: str | None,
    misdated: bool,
    reason: str,
    dry_run: bool,
    accepted_by: str | None,
) -> Outcome:
    """Accept unbilled events as such, so that they are no longer reported. An event that is stored later is reported again.

    Bills nothing and changes no bill. wxyc_assets.accepted_usage keeps what was accepted, by whom, when and why.
    """
    from wxyc_assets.assets.rated_usage.unbilled.search import accept_unbilled
    from wxyc_assets.cli.operator_name import operator_name
    from wxyc_assets.cli.schema_session import billing_session
    from wxyc_assets.cli.unbilled_view import UnbilledView, chosen, search

    if not (hours or until or misdated):
        raise click.UsageError("name what to accept: --hour, --until or --misdated")
    reason = reason.strip()
    if not reason:
        raise click.UsageError("--reason is empty: say why these events are not billed")
    by = None if dry_run else operator_name(accepted_by)
    with billing_session() as connection, connection.transaction():
        view = UnbilledView(chosen(search(connection), hours, until, misdated=misdated))
        if not view.unbilled and not until:
            raise CannotError("no event has an impossible time: `wxyc rated unbilled` lists all that is unbilled")
        if by:
            buckets = [each.bucket for each in view.unbilled]
            accept_unbilled(connection, buckets, reason=reason, accepted_by=by)
    printed = {**view.as_json(), "accepted": not dry_run, "accepted_by": by, "reason": reason}
    return Outcome(printed, lines=list(view.accepted_lines(by)))


@command.command("pushed", short_help="Record that token-push was run for a window.")
@click.option("--since", required=True, metavar="T", help="The first hour, such as 2026-06-08T10:00:00Z.")
@click.option("--until", required=True, metavar="T", help="The hour to stop before.")
@click.option("--by", "pushed_by", metavar="NAME", help="Who says so. Default: the user of this process.")
def pushed(since: str, until: str, pushed_by: str | None) -> Outcome:
    """Record that token-push was run for exactly this window, so that `wxyc status` no longer asks for it.

    token-push posts the last 24 closed hours. A run that changes an older bill changes no invoice until token-push is run for
    that window; `wxyc status` and the run itself name it. This command sends nothing.
    """
    from wxyc_assets.assets.rated_usage.unpushed import mark_pushed, push_windows
    from wxyc_assets.cli.operator_name import operator_name
    from wxyc_assets.cli.schema_session import billing_session
    from wxyc_assets.runs.partitions import WindowError, utc_hour

    try:
        first, end = utc_hour("--since", since), utc_hour("--until", until)
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    with billing_session() as connection, connection.transaction():
        marked = mark_pushed(connection, first, end, operator_name(pushed_by))
        if not marked:
            raise CannotError("no hour of this window waits for token-push: `wxyc status` lists those that do")
        left = push_windows(connection)
    lines = [f"pushed: {window}" for window in marked] + [f"still to push: {window}" for window in left]
    printed = {"pushed": [window.as_json() for window in marked], "push_needed": [window.as_json() for window in left]}
    return Outcome(printed, lines=lines)
