"""``wxyc run``: one asset, through Dagster."""

import click

from wxyc_assets.cli.outcome import Outcome

ASSETS = ("library_identity", "album_metadata", "flowsheet_enrichment")
ASK_LML = {"library_identity", "album_metadata"}


@click.command("run", short_help="Run one asset through Dagster, so that it shows in the UI.")
@click.argument("asset", type=click.Choice(ASSETS))
@click.option(
    "--partition", "partitions", multiple=True, metavar="K", help="A shard, 0 to 15; may be repeated. Default: all."
)
@click.option("--dry-run", is_flag=True, help="Write nothing, and say what would be done.")
@click.option("--recheck", is_flag=True, help="library_identity: all that once stayed unresolved, whatever their age.")
@click.option(
    "--include-null-canonical", is_flag=True, help="library_identity: also libraries without a canonical entity."
)
def command(
    asset: str, partitions: tuple[str, ...], dry_run: bool, recheck: bool, include_null_canonical: bool
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

    The run works on the station in DATABASE_URL (unset: the embedded PostgreSQL), with LML at LIBRARY_METADATA_URL. It exits 2
    when it was done but someone must look at it: see `checks` and `reason` in what it prints.
    """
    from wxyc_assets import wiring
    from wxyc_assets.cli.launch import Launch, launch
    from wxyc_assets.cli.terminal import person
    from wxyc_assets.partitions import shard_ranges
    from wxyc_assets.settings import ALL_GROUPS, load_all

    config = _config(asset, dry_run=dry_run, recheck=recheck, include_null_canonical=include_null_canonical)
    shards = [_shard(key) for key in partitions] or list(range(16))
    load_all(ALL_GROUPS)
    if asset in ASK_LML:
        wiring.lml_config()
    return launch(Launch(asset, shard_ranges(shards), config), wiring.open_postgres(), person())


def _config(asset: str, *, dry_run: bool, recheck: bool, include_null_canonical: bool) -> dict[str, bool]:
    """Return the asset's op config; refuse what only another asset understands rather than ignore it."""
    if asset == "library_identity":
        return {"dry_run": dry_run, "recheck": recheck, "include_null_canonical": include_null_canonical}
    if recheck or include_null_canonical:
        raise click.UsageError(f"--recheck and --include-null-canonical are for library_identity, not for {asset}")
    return {"dry_run": dry_run}


def _shard(key: str) -> int:
    if not key.isascii() or not key.isdigit() or int(key) > 15:  # noqa: PLR2004  # SHARD_COUNT would import Dagster
        raise click.BadParameter(f"{key!r} is not a shard: 0 to 15", param_hint="--partition")
    return int(key)
