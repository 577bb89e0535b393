"""The demo run: starts a sandbox station, runs the graph once, and sums up."""

import os
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

import click

from resources.postgres import Postgres
from wxyc_assets.assets.rated_usage.unpushed import mark_pushed, push_windows
from wxyc_assets.assets.registry import AssetInfo, demo_order
from wxyc_assets.cli import station
from wxyc_assets.cli.launch import LaunchRequest, launch
from wxyc_assets.cli.observe_sources import observe_all
from wxyc_assets.cli.outcome import ANOMALY, DONE, FAILED, Outcome
from wxyc_assets.cli.run import partition_ranges
from wxyc_assets.cli.terminal import command_console
from wxyc_assets.database import connections
from wxyc_assets.settings import ALL_GROUPS, load_all


def run_demo() -> Outcome:
    """Run the whole graph once on the sandbox station."""
    load_all(ALL_GROUPS)
    began = time.monotonic()
    assets = demo_order()
    steps = 3 + len(assets)
    with ExitStack() as stack:
        _print_step(f"1/{steps} the database")
        stack.enter_context(station.ensure_database())
        report = station.prepare_station(demo=True)
        albums = report.rows["library"] if report else "the configured"
        _print_step(f"2/{steps} a local LML, and {albums} albums to ask it about")
        stack.enter_context(station.ensure_lml(demo=True))
        stack.enter_context(station.ensure_prices())
        _print_step(f"3/{steps} observe the external assets: the station's tables, the price file")
        observed = observe_all(command_console())
        outcomes = {}
        for step, info in enumerate(assets, start=4):
            _print_step(f"{step}/{steps} {info.name}: {info.demo.purpose if info.demo else ''}")
            outcomes[info.name] = _launch(info)
            _print_step(f"    {_summary(info, outcomes[info.name])}")
        with connections.open_postgres().connect() as connection:
            stored = station.stored_counts(connection)
    printed = {
        "station": report.rows if report else {},
        "observed": observed,
        **{asset: outcome.printed for asset, outcome in outcomes.items()},
        "stored": stored,
        "seconds": round(time.monotonic() - began, 1),
    }
    return Outcome(printed, _worst(outcome.exit_code for outcome in outcomes.values()), _closing(outcomes, stored))


def _launch(info: AssetInfo) -> Outcome:
    postgres = connections.open_postgres()
    window: dict[str, str] = {}
    if info.partitions == "hours":
        # From the sample's usage, which is of the day before the station was created, to now: then no hour is late.
        with postgres.connect() as connection:
            window = station.billed_since(connection)
    outcome = launch(
        LaunchRequest(info.name, partition_ranges(info.name, **window), {}), (postgres, postgres), command_console()
    )
    if info.partitions == "hours":
        _mark_posted(postgres)
    return outcome


def _mark_posted(postgres: Postgres) -> None:
    """Record that no bill of the sandbox waits for token-push: it has none, so that `wxyc status` need not ask for it."""
    with postgres.connect() as connection:
        for window in push_windows(connection):
            mark_pushed(connection, window.since, window.until, "wxyc demo")


def _worst(exit_codes: Iterable[int]) -> int:
    return max(exit_codes, key=(DONE, ANOMALY, FAILED).index)


def _summary(info: AssetInfo, outcome: Outcome) -> str:
    """Return what a run counted, in one sentence."""
    return info.demo.summary.format(**outcome.printed["totals"]) if info.demo else ""


def _closing(outcomes: Mapping[str, Outcome], stored: Mapping[str, int]) -> list[str]:
    """Return what the station holds, which runs to look at, and the next command."""
    reasons = {asset: outcome.printed.get("reason") for asset, outcome in outcomes.items()}
    return [
        "the station has {identities} identities from {sources} sources, and metadata of {albums} albums".format(
            **stored
        ),
        *(f"look at {asset}: {reason}" for asset, reason in reasons.items() if reason),
        f"next: `{_up_command()}` opens the Dagster UI on this station",
    ]


def _up_command() -> str:
    """Return the command that starts the UI: make's target for those who used make, who may not have wxyc on their PATH."""
    return "make up" if "MAKELEVEL" in os.environ else "wxyc up"


def _print_step(text: str) -> None:
    click.echo(text, err=True)
