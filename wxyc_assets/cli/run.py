"""``wxyc run``: runs one asset through Dagster."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from wxyc_assets.assets.registry import ASSETS, BY_NAME, AssetInfo
from wxyc_assets.cli.outcome import Outcome
from wxyc_assets.runs.origin import RunOrigin

if TYPE_CHECKING:
    from wxyc_assets.assets.rated_usage.unbilled.usage import UnbilledUsage

OPTION_ORDER = ("partitions", "since", "until", "late", "prices", "plan", "recheck", "include_null_canonical")

EXAMPLES = """\b
Examples:
  wxyc run library_identity                     all 16 shards
  wxyc run library_identity --partition 3       one shard
  wxyc run library_identity --dry-run           what a run would do
  wxyc run library_identity --recheck           ask again about what LML did not know
  wxyc run album_metadata --dry-run             how many calls, and when the budget would be done
  wxyc run flowsheet_enrichment                 plays of albums that have metadata by now
  wxyc run rotation_identity --dry-run          how much of the rotation has an identity
  wxyc run rotation_cache                       warm LML's cache for the rotation, today
  wxyc run rated_usage                          the trailing 24 closed hours, as the schedule does
  wxyc run rated_usage --late --plan            what billing late events would move
  wxyc run rated_usage --since 2026-06-08T00:00:00Z --until 2026-06-09T00:00:00Z --plan
"""


@click.command("run", short_help="Run one asset through Dagster.", epilog=EXAMPLES)
@click.argument("asset", type=click.Choice(list(BY_NAME)), metavar="ASSET")
@click.option(
    "--partition",
    "partitions",
    multiple=True,
    metavar="K",
    help="A shard, 0 to 15; may be repeated. Default: all shards. For rotation_cache: a UTC day, which can only be today.",
)
@click.option("--since", metavar="T", help="rated_usage: the first hour, such as 2026-06-08T10:00:00Z.")
@click.option(
    "--until", metavar="T", help="rated_usage: the hour to stop before. Default: the hour that is not over yet."
)
@click.option(
    "--late",
    is_flag=True,
    help="rated_usage: the hours outside the trailing ones that have unbilled events, as an explicit run.",
)
@click.option(
    "--prices",
    metavar="DIGEST",
    help="rated_usage: a price file that was rated with before, by the beginning of its digest; with a window or --late.",
)
@click.option("--dry-run", is_flag=True, help="Write nothing, and report what a run would do.")
@click.option(
    "--plan", is_flag=True, help="rated_usage: a dry run that reports the changes, hour by hour, and the money."
)
@click.option(
    "--recheck",
    is_flag=True,
    help="library_identity: take every library that once stayed unresolved, whatever its age.",
)
@click.option(
    "--include-null-canonical", is_flag=True, help="library_identity: also take libraries without a canonical entity."
)
def command(
    asset: str,
    partitions: tuple[str, ...],
    since: str | None,
    until: str | None,
    late: bool,
    prices: str | None,
    dry_run: bool,
    plan: bool,
    recheck: bool,
    include_null_canonical: bool,
) -> Outcome:
    """Run ASSET now, and print its counts. The run goes through Dagster and shows in the UI.

    ASSET is library_identity, album_metadata, flowsheet_enrichment, rotation_identity, rotation_cache or rated_usage.

    The run works on the station in DATABASE_URL (unset: the embedded PostgreSQL), with LML at LIBRARY_METADATA_URL. It exits 2
    if it is done but left an anomaly to look at: the failed checks and the reason name it.
    """
    from wxyc_assets import factories
    from wxyc_assets.assets.rated_usage.unbilled.usage import hours_of
    from wxyc_assets.cli.launch import LaunchRequest, launch
    from wxyc_assets.cli.station import require_own_lml
    from wxyc_assets.cli.terminal import command_console
    from wxyc_assets.database import connections
    from wxyc_assets.runs.partitions import hour_ranges
    from wxyc_assets.settings import ALL_GROUPS, load_all

    info = BY_NAME[asset]
    flags: dict[str, bool] = {"recheck": recheck, "include_null_canonical": include_null_canonical}
    given: dict[str, object] = {
        "partitions": partitions,
        "since": since,
        "until": until,
        "late": late,
        "prices": prices,
        "plan": plan,
        **flags,
    }
    _refuse_other_options(asset, [name for name, value in given.items() if value])
    if late and (since or until):
        raise click.UsageError("--late names the hours itself: leave --since and --until out")
    if prices and not (since or until or late):
        raise click.UsageError("--prices needs the hours to rate with them: --since and --until, or --late")
    load_all(ALL_GROUPS)
    unbilled = _unbilled() if late else []
    ranges = hour_ranges(hours_of(unbilled)) if late else partition_ranges(asset, partitions, since, until)
    if not ranges:
        return _nothing_late(asset, unbilled, dry_run=dry_run or plan)
    config: dict[str, Any] = {name: value for name, value in flags.items() if name in info.options}
    config |= {"prices": prices} if prices else {}
    if info.asks_lml:
        require_own_lml(factories.lml_config().base_url)
    if dry_run or plan:
        config |= _dry_run_window(info, ranges, since, until) | ({"hours": _hours(ranges)} if late else {})
        ranges = [None]
    origin: RunOrigin = "explicit" if late else _origin(asset, since, until)
    request = LaunchRequest(asset, ranges, config, origin, dry_run=dry_run or plan)
    return launch(request, (connections.open_postgres(), connections.open_billing()), command_console())


def _unbilled() -> "list[UnbilledUsage]":
    from wxyc_assets.cli.schema_session import billing_session
    from wxyc_assets.cli.unbilled_view import search

    with billing_session() as connection:
        return search(connection)


def _nothing_late(asset: str, unbilled: "Sequence[UnbilledUsage]", *, dry_run: bool) -> Outcome:
    """Return the result of a run that had no hour to rate, in the form of every run."""
    from wxyc_assets.assets.rated_usage.unbilled.usage import describe
    from wxyc_assets.cli.unbilled_view import ALL_BILLED

    printed = {"asset": asset, "run_ids": [], "partitions": [], "dry_run": dry_run, "totals": {}, "checks": []}
    return Outcome(printed, lines=[describe(unbilled) or ALL_BILLED])


def _hours(ranges: Sequence[tuple[str, str] | None]) -> list[str]:
    from wxyc_assets.runs.partitions import hours_between

    return [hour for keys in ranges if keys for hour in hours_between(*keys)]


def _dry_run_window(
    info: AssetInfo, ranges: Sequence[tuple[str, str] | None], since: str | None, until: str | None
) -> dict[str, Any]:
    """Return the config that names the partitions of a dry run."""
    match info.partitions:
        case "shards":
            return {"shards": [shard for keys in ranges if keys for shard in range(int(keys[0]), int(keys[1]) + 1)]}
        case "hours":
            return {name: bound for name, bound in (("since", since), ("until", until)) if bound}
        case _:
            return {}


def _origin(asset: str, since: str | None, until: str | None) -> RunOrigin:
    """Return the origin, which matters for rating only: without a window it does what the schedule does."""
    return "routine" if BY_NAME[asset].partitions == "hours" and not (since or until) else "explicit"


def _refuse_other_options(asset: str, given: Sequence[str]) -> None:
    """Refuse an option that only other assets take; raises click.UsageError."""
    for name in given:
        if name not in BY_NAME[asset].options:
            option = _option(name)
            others = [info.name for info in ASSETS if name in info.options]
            raise click.UsageError(f"{option} is for {', '.join(others)}, not for {asset}, which takes {_takes(asset)}")


def _takes(asset: str) -> str:
    """Return the options that an asset takes."""
    taken = [_option(name) for name in OPTION_ORDER if name in BY_NAME[asset].options]
    return " and ".join(filter(None, [", ".join(taken), "--dry-run"]))


def _option(name: str) -> str:
    return f"--{'partition' if name == 'partitions' else name.replace('_', '-')}"


def partition_ranges(
    asset: str, partitions: Sequence[str] = (), since: str | None = None, until: str | None = None
) -> Sequence[tuple[str, str] | None]:
    """Return the ranges of partition keys to run, one run for each. Default: every partition that the asset can run now."""
    from wxyc_assets.runs.partitions import SHARD_COUNT, shard_ranges

    match BY_NAME[asset].partitions:
        case "none":
            return [None]
        case "today":
            return [(day, day) for day in set(map(_day, partitions)) or {_today()}]
        case "hours":
            return [_window(since, until)]
        case "shards":
            return shard_ranges([_shard(key) for key in partitions] or range(SHARD_COUNT))


def _window(since: str | None, until: str | None) -> tuple[str, str]:
    from wxyc_assets.runs.partitions import WindowError, window_keys
    from wxyc_assets.settings import RatingSettings, load

    try:
        settings = load(RatingSettings)
        return window_keys(since, until, datetime.now(UTC), settings.trailing_hours, settings.first_hour)
    except WindowError as error:
        raise click.UsageError(str(error)) from error


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _day(key: str) -> str:
    if key != _today():
        raise click.BadParameter(
            f"{key!r} is not {_today()}: LML keeps its cache as of now, so only that of today (UTC) can be warmed",
            param_hint="--partition",
        )
    return key


def _shard(key: str) -> int:
    from wxyc_assets.runs.partitions import SHARD_COUNT

    if not key.isascii() or not key.isdigit() or int(key) >= SHARD_COUNT:
        says = f"{key!r} is not a shard: 0 to {SHARD_COUNT - 1}, one for each --partition"
        raise click.BadParameter(says, param_hint="--partition")
    return int(key)
