"""The demo: brings up a sandbox station, runs the graph once, and sums up."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import click

from wxyc_assets import wiring
from wxyc_assets.cli import station
from wxyc_assets.cli.launch import Launch, launch
from wxyc_assets.cli.outcome import Outcome
from wxyc_assets.cli.terminal import person
from wxyc_assets.partitions import SHARD_COUNT
from wxyc_assets.settings import ALL_GROUPS, load_all


def tour() -> Outcome:
    """Run the whole graph once on the sandbox station."""
    load_all(ALL_GROUPS)
    began = time.monotonic()
    with ExitStack() as stack:
        _say("1/3 the database")
        stack.enter_context(station.database_at_hand())
        report = station.bring_up_station(demo=True)
        _say(f"2/3 a local LML, and {report.rows['library'] if report else 'the configured'} albums to ask it about")
        stack.enter_context(station.lml_at_hand())
        _say("3/3 library_identity")
        outcome = launch(Launch("library_identity", range(SHARD_COUNT), {}), wiring.open_postgres(), person())
        with wiring.open_postgres().connect() as connection:
            stored = station.identity_counts(connection)
    printed = {
        "station": report.rows if report else {},
        "library_identity": outcome.printed,
        "stored": stored,
        "seconds": round(time.monotonic() - began, 1),
    }
    return Outcome(
        printed, outcome.exit_code, _closing(outcome.printed["totals"], stored, outcome.printed.get("reason"))
    )


def _closing(totals: Mapping[str, Any], stored: Mapping[str, int], reason: str | None) -> list[str]:
    """Sum up for a person."""
    asked = (
        f"asked LML about {totals['scanned']} albums: {totals['rows_resolved']} identities written, "
        f"{totals['rows_unresolved']} unknown to LML, {totals['rows_skipped']['compilation']} compilations"
    )
    return [
        asked if totals["scanned"] else "no album needed asking: what the last demo left is still fresh",
        f"the station has {stored['identities']} identities from {stored['sources']} sources",
        *([f"someone should look: {reason}"] if reason else []),
        "next: `make up` opens the Dagster UI on this station",
    ]


def _say(text: str) -> None:
    click.echo(text, err=True)
