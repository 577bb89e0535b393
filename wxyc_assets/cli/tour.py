"""The demo: brings up a sandbox station, runs the graph once, and sums up."""

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

import click

from wxyc_assets import wiring
from wxyc_assets.cli import station
from wxyc_assets.cli.launch import Launch, launch
from wxyc_assets.cli.outcome import ANOMALY, COULD_NOT, DONE, Outcome
from wxyc_assets.cli.terminal import person
from wxyc_assets.partitions import SHARD_COUNT, shard_ranges
from wxyc_assets.settings import ALL_GROUPS, load_all

ASSETS = {
    "library_identity": "who made each album",
    "album_metadata": "artwork and links of the albums played; slow on purpose, within the budget of Discogs calls",
    "flowsheet_enrichment": "plays whose album has metadata by now",
}


def tour() -> Outcome:
    """Run the whole graph once on the sandbox station."""
    load_all(ALL_GROUPS)
    began = time.monotonic()
    with ExitStack() as stack:
        _say("1/5 the database")
        stack.enter_context(station.database_at_hand())
        report = station.bring_up_station(demo=True)
        _say(f"2/5 a local LML, and {report.rows['library'] if report else 'the configured'} albums to ask it about")
        stack.enter_context(station.lml_at_hand())
        outcomes = {}
        for step, (asset, why) in enumerate(ASSETS.items(), start=3):
            _say(f"{step}/5 {asset}: {why}")
            outcomes[asset] = launch(
                Launch(asset, shard_ranges(range(SHARD_COUNT)), {}), wiring.open_postgres(), person()
            )
        with wiring.open_postgres().connect() as connection:
            stored = station.stored_counts(connection)
    printed = {
        "station": report.rows if report else {},
        **{asset: outcome.printed for asset, outcome in outcomes.items()},
        "stored": stored,
        "seconds": round(time.monotonic() - began, 1),
    }
    return Outcome(printed, _worst(outcome.exit_code for outcome in outcomes.values()), _closing(outcomes, stored))


def _worst(exit_codes: Iterable[int]) -> int:
    return max(exit_codes, key=(DONE, ANOMALY, COULD_NOT).index)


def _closing(outcomes: Mapping[str, Outcome], stored: Mapping[str, int]) -> list[str]:
    """Sum up for a person."""
    identity, metadata, plays = (outcome.printed["totals"] for outcome in outcomes.values())
    asked = (
        f"library_identity: asked about {identity['scanned']} albums, {identity['rows_resolved']} identities written, "
        f"{identity['rows_unresolved']} unknown to LML, {identity['rows_skipped']['compilation']} compilations"
    )
    found = (
        f"album_metadata: {metadata['scanned']} albums with a pending play, {metadata['upserts']} rows written, "
        f"{metadata['no_match']} unknown to LML"
    )
    stands = (
        f"the station has {stored['identities']} identities from {stored['sources']} sources, "
        f"and metadata of {stored['albums']} albums"
    )
    return [
        asked,
        found,
        f"flowsheet_enrichment: {plays['flipped']} plays now have their album's metadata",
        stands,
        *(
            f"someone should look at {asset}: {o.printed['reason']}"
            for asset, o in outcomes.items()
            if "reason" in o.printed
        ),
        "next: `make up` opens the Dagster UI on this station",
    ]


def _say(text: str) -> None:
    click.echo(text, err=True)
