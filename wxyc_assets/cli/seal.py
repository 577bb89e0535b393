"""``wxyc seal``: seals rated hours, so that no run changes their bills, and opens sealed hours again."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from wxyc_assets.cli.outcome import ANOMALY, DONE, CannotError, Outcome

if TYPE_CHECKING:
    from wxyc_assets.assets.rated_usage.seals.receipt import Entry

EXAMPLES = """\b
Examples:
  wxyc seal --until 2026-11-01T00:00:00Z --dry-run
  wxyc seal --until 2026-11-01T00:00:00Z
  wxyc seal --reopen --hour 2026-10-08T10:00:00Z --reason "a credit for the outage"
"""


@click.command("seal", short_help="Let no run change the bills of past hours.", epilog=EXAMPLES)
@click.option("--until", metavar="T", help="Seal every hour before T, from the first that a run rated.")
@click.option("--reopen", is_flag=True, help="Open sealed hours again, so that runs may change their bills.")
@click.option("--hour", "hours", multiple=True, metavar="H", help="With --reopen: an hour; may be repeated.")
@click.option("--reason", metavar="TEXT", help="With --reopen: why; it is kept.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sealed.")
@click.option("--by", "made_by", metavar="NAME", help="Who says so. Default: the user of this process.")
def command(
    until: str | None, reopen: bool, hours: tuple[str, ...], reason: str | None, dry_run: bool, made_by: str | None
) -> Outcome:
    """Seal hours in their order. A seal is a receipt: digests of the hour's rows, events and prices, and of the seal before it.

    Rating never changes a sealed hour; it reports what it would change as an adjustment. Sealing ends at the first hour that
    cannot be sealed and says why: never rated, with unbilled events, or not what its events cost. Then it exits 2, or 1 if it
    sealed none. Keep the head that the command prints: `wxyc verify` proves with it that no seal was removed since.
    """
    if reopen == bool(until):
        raise click.UsageError("either --until T seals hours, or --reopen with --hour and --reason opens them again")
    if reopen:
        return _reopen(hours, (reason or "").strip(), made_by, dry_run=dry_run)
    if hours or reason:
        raise click.UsageError("--hour and --reason are for --reopen")
    return _seal(until or "", made_by, dry_run=dry_run)


def _seal(until: str, made_by: str | None, *, dry_run: bool) -> Outcome:
    from datetime import UTC, datetime

    from wxyc_assets.assets.rated_usage.seals.chain import sealed_hours
    from wxyc_assets.assets.rated_usage.seals.sealing import SealError, SealRequest, hours_to_seal, seal
    from wxyc_assets.assets.rated_usage.unbilled.search import search_window
    from wxyc_assets.cli.operator_name import operator_name
    from wxyc_assets.cli.schema_session import billing_session
    from wxyc_assets.database import connections
    from wxyc_assets.runs.partitions import WindowError, utc_hour
    from wxyc_assets.settings import RatingSettings, load

    try:
        end = utc_hour("--until", until)
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    settings = load(RatingSettings)
    window = search_window(datetime.now(UTC), settings.trailing_hours, settings.first_hour)
    request = SealRequest(end, window, operator_name(made_by), dry_run=dry_run)
    sealed: list[Entry] = []
    blocked = ""
    with billing_session() as connection:
        before = sealed_hours(connection, settings.first_hour, end)
        try:
            found = hours_to_seal(connection, request)
            with click.progressbar(found, label="hours", file=sys.stderr, hidden=not sys.stderr.isatty()) as shown:
                sealed.extend(seal(connections.open_billing(), shown, request))
        except SealError as error:
            blocked = str(error)
    if not sealed and blocked:
        raise CannotError(blocked)
    printed = {**_printed(sealed, dry_run=dry_run), "blocked": blocked or None}
    done = "would be sealed" if dry_run else "sealed"
    lines = [f"{len(sealed)} hours {done}: {_range(sealed)}" if sealed else _nothing_to_seal(until, before)]
    if sealed and not dry_run:
        lines.append(f"head: {sealed[-1].digest}")
    lines += [f"WARN stopped: {blocked}"] if blocked else []
    return Outcome(printed, ANOMALY if blocked else DONE, lines)


def _nothing_to_seal(until: str, sealed_before: int) -> str:
    """Return why no hour is left to seal: all that a run rated are sealed, or no run rated any."""
    if sealed_before:
        return f"nothing to seal: all {sealed_before} hours before {until} that a run rated are sealed already"
    return f"nothing to seal: no run has rated an hour before {until}"


def _reopen(hours: Sequence[str], reason: str, made_by: str | None, *, dry_run: bool) -> Outcome:
    from wxyc_assets.assets.rated_usage.seals.sealing import SealError, reopen
    from wxyc_assets.cli.operator_name import operator_name
    from wxyc_assets.cli.schema_session import billing_session
    from wxyc_assets.database import connections
    from wxyc_assets.runs.partitions import WindowError, hour_of

    if not (hours and reason):
        raise click.UsageError("--reopen needs --hour, and --reason with a text that says why")
    try:
        starts = sorted({hour_of(hour) for hour in hours})
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    with billing_session():
        try:
            opened = reopen(
                connections.open_billing(),
                starts,
                made_by=operator_name(made_by),
                reason=reason,
                dry_run=dry_run,
            )
        except SealError as error:
            raise CannotError(str(error)) from error
    done = "would be opened" if dry_run else "opened"
    lines = [f"{done}: {_range([entry])}" for entry in opened]
    return Outcome(
        _printed(opened, dry_run=dry_run), lines=[*lines, "rate them with `wxyc run rated_usage`, then seal them again"]
    )


def _printed(entries: "Sequence[Entry]", *, dry_run: bool) -> dict[str, object]:
    from wxyc_assets.runs.partitions import hour_key

    shown = [{"hour": hour_key(entry.hour), "kind": entry.kind, "digest": entry.digest} for entry in entries]
    return {"entries": shown, "head": entries[-1].digest if entries and not dry_run else None, "dry_run": dry_run}


def _range(entries: "Sequence[Entry]") -> str:
    from wxyc_assets.runs.partitions import hour_key

    first, last = hour_key(entries[0].hour), hour_key(entries[-1].hour)
    return first if first == last else f"{first} to {last}"
