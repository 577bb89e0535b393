"""``wxyc run``: one asset, through Dagster."""

import click

from wxyc_assets.cli.outcome import Outcome

ASSETS = ("library_identity",)


@click.command("run", short_help="Run one asset through Dagster, so that it shows in the UI.")
@click.argument("asset", type=click.Choice(ASSETS))
@click.option(
    "--partition", "partitions", multiple=True, metavar="K", help="A shard, 0 to 15; may be repeated. Default: all."
)
@click.option("--dry-run", is_flag=True, help="Ask LML and count, but write nothing.")
@click.option("--recheck", is_flag=True, help="Every library that once stayed unresolved, whatever the age of that.")
@click.option("--include-null-canonical", is_flag=True, help="Also libraries without a canonical entity.")
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

    The run asks LML at LIBRARY_METADATA_URL about the libraries in DATABASE_URL (unset: the embedded PostgreSQL). It exits 2
    when it was done but someone must look at it: see `checks` and `reason` in what it prints.
    """
    from wxyc_assets import wiring
    from wxyc_assets.cli.launch import Launch, launch
    from wxyc_assets.cli.terminal import person
    from wxyc_assets.settings import ALL_GROUPS, load_all

    shards = [_shard(key) for key in partitions] or list(range(16))
    load_all(ALL_GROUPS)
    wiring.lml_config()
    config = {"dry_run": dry_run, "recheck": recheck, "include_null_canonical": include_null_canonical}
    return launch(Launch(asset, shards, config), wiring.open_postgres(), person())


def _shard(key: str) -> int:
    if not key.isascii() or not key.isdigit() or int(key) > 15:  # noqa: PLR2004  # SHARD_COUNT would import Dagster
        raise click.BadParameter(f"{key!r} is not a shard: 0 to 15", param_hint="--partition")
    return int(key)
