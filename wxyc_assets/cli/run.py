"""``wxyc run``: one asset, through Dagster."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from wxyc_assets.cli.outcome import Outcome
from wxyc_assets.run_origin import RunOrigin

UNDERSTOOD = {
    "library_identity": {"partitions", "recheck", "include_null_canonical"},
    "album_metadata": {"partitions"},
    "flowsheet_enrichment": {"partitions"},
    "rotation_identity": set[str](),
    "rotation_cache": {"partitions"},
    "rated_usage": {"since", "until", "plan"},
}
"""The assets, in the order in which they make sense, and which options each takes; --dry-run is for all."""

ASK_LML = {"library_identity", "album_metadata", "rotation_identity", "rotation_cache"}


@click.command("run", short_help="Run one asset through Dagster, so that it shows in the UI.")
@click.argument("asset", type=click.Choice(list(UNDERSTOOD)))
@click.option(
    "--partition",
    "partitions",
    multiple=True,
    metavar="K",
    help="A shard, 0 to 15; may be repeated. Default: all. Of rotation_cache: a day of UTC, which can only be today.",
)
@click.option("--since", metavar="T", help="rated_usage: the first hour, such as 2026-06-08T10:00:00Z.")
@click.option(
    "--until", metavar="T", help="rated_usage: the hour before which to end. Default: the one that still goes on."
)
@click.option("--dry-run", is_flag=True, help="Write nothing, and say what would be done.")
@click.option("--plan", is_flag=True, help="rated_usage: the same; what would be changed, hour by hour, and the money.")
@click.option("--recheck", is_flag=True, help="library_identity: all that once stayed unresolved, whatever their age.")
@click.option(
    "--include-null-canonical", is_flag=True, help="library_identity: also libraries without a canonical entity."
)
def command(
    asset: str,
    partitions: tuple[str, ...],
    since: str | None,
    until: str | None,
    dry_run: bool,
    plan: bool,
    recheck: bool,
    include_null_canonical: bool,
) -> Outcome:
    r"""Run ASSET now, and print what it counted.

    \b
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
      wxyc run rated_usage --since 2026-06-08T00:00:00Z --until 2026-06-09T00:00:00Z --plan

    The run works on the station in DATABASE_URL (unset: the embedded PostgreSQL), with LML at LIBRARY_METADATA_URL. It exits 2
    when it was done but someone must look at it: see `checks` and `reason` in what it prints.
    """
    from wxyc_assets import databases, wiring
    from wxyc_assets.cli.launch import Launch, launch
    from wxyc_assets.cli.terminal import person
    from wxyc_assets.settings import ALL_GROUPS, load_all

    given = {
        "partitions": partitions,
        "since": since,
        "until": until,
        "plan": plan,
        "recheck": recheck,
        "include_null_canonical": include_null_canonical,
    }
    _refuse_foreign(asset, [name for name, value in given.items() if value])
    load_all(ALL_GROUPS)
    ranges = partition_ranges(asset, partitions, since, until)
    config = {"dry_run": dry_run or plan}
    if asset == "library_identity":
        config |= {"recheck": recheck, "include_null_canonical": include_null_canonical}
    if asset in ASK_LML:
        wiring.lml_config()
    return launch(Launch(asset, ranges, config, _origin(asset, since, until)), databases.open_postgres(), person())


def _origin(asset: str, since: str | None, until: str | None) -> RunOrigin:
    """Only rating makes a difference: without a window it does what the schedule does."""
    return "routine" if asset == "rated_usage" and not (since or until) else "explicit"


def _refuse_foreign(asset: str, given: Sequence[str]) -> None:
    """Refuse what only other assets understand rather than ignore it."""
    for name in given:
        if name not in UNDERSTOOD[asset]:
            option = f"--{'partition' if name == 'partitions' else name.replace('_', '-')}"
            others = [other for other, names in UNDERSTOOD.items() if name in names]
            raise click.UsageError(f"{option} is for {', '.join(others)}, not for {asset}")


def partition_ranges(
    asset: str, partitions: Sequence[str] = (), since: str | None = None, until: str | None = None
) -> Sequence[tuple[str, str] | None]:
    """Return the ranges of partition keys that the asset is to take, all there is to do by default; each makes one run."""
    from wxyc_assets.partitions import SHARD_COUNT, shard_ranges

    match asset:
        case "rotation_identity":
            return [None]
        case "rotation_cache":
            return [(day, day) for day in set(map(_day, partitions)) or {_today()}]
        case "rated_usage":
            return [_window(since, until)]
        case _:
            return shard_ranges([_shard(key) for key in partitions] or range(SHARD_COUNT))


def _window(since: str | None, until: str | None) -> tuple[str, str]:
    from wxyc_assets.rated_usage.windows import WindowError, window_keys
    from wxyc_assets.settings import RatingSettings, load

    try:
        return window_keys(since, until, datetime.now(UTC), load(RatingSettings).trailing_hours)
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
    from wxyc_assets.partitions import SHARD_COUNT

    if not key.isascii() or not key.isdigit() or int(key) >= SHARD_COUNT:
        raise click.BadParameter(f"{key!r} is not a shard: 0 to {SHARD_COUNT - 1}", param_hint="--partition")
    return int(key)
