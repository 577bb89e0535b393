"""The demo: brings up a sandbox station, runs the graph once, and sums up."""

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass

import click

from wxyc_assets import databases
from wxyc_assets.cli import station
from wxyc_assets.cli.launch import Launch, launch
from wxyc_assets.cli.observing import observe_all
from wxyc_assets.cli.outcome import ANOMALY, COULD_NOT, DONE, Outcome
from wxyc_assets.cli.run import partition_ranges
from wxyc_assets.cli.terminal import person
from wxyc_assets.settings import ALL_GROUPS, load_all


@dataclass(frozen=True)
class Stop:
    """One asset of the tour: why it is there, and what its totals come to, as a format of them."""

    why: str
    said: str


STOPS = {
    "library_identity": Stop(
        "who made each album",
        "asked about {scanned} albums, {rows_resolved} identities written, {rows_unresolved} unknown to LML, "
        "{rows_skipped[compilation]} compilations",
    ),
    "album_metadata": Stop(
        "artwork and links of the albums played; slow on purpose, within the budget of Discogs calls",
        "{scanned} albums with a pending play, {upserts} rows written, {no_match} unknown to LML",
    ),
    "flowsheet_enrichment": Stop(
        "plays whose album has metadata by now",
        "{flipped} plays now have their album's metadata",
    ),
    "rated_usage": Stop(
        "what the sample day's usage costs, and every hour since",
        "{events_rated} of {events} events came to {rollups_written} bills and {total_cost} USD; "
        "{unpriced_events} have no price, {unattributable_events} no owner, {ambiguous_base_events} two bases",
    ),
    "rotation_identity": Stop(
        "what LML calls the releases in rotation",
        "{resolved} releases in rotation were given their identity",
    ),
    "rotation_cache": Stop(
        "LML's cache, warmed for them; within the budget as well",
        "{warmed} of {identities_scanned} identities are warm in LML's cache",
    ),
}
STEPS = 3 + len(STOPS)


def tour() -> Outcome:
    """Run the whole graph once on the sandbox station."""
    load_all(ALL_GROUPS)
    began = time.monotonic()
    with ExitStack() as stack:
        _say(f"1/{STEPS} the database")
        stack.enter_context(station.database_at_hand())
        report = station.bring_up_station(demo=True)
        _say(
            f"2/{STEPS} a local LML, and {report.rows['library'] if report else 'the configured'} albums to ask it about"
        )
        stack.enter_context(station.lml_at_hand())
        stack.enter_context(station.prices_at_hand())
        _say(f"3/{STEPS} a look at what is not ours: the station's tables, the price file")
        observed = observe_all(person())
        outcomes = {}
        for step, (asset, stop) in enumerate(STOPS.items(), start=4):
            _say(f"{step}/{STEPS} {asset}: {stop.why}")
            ranges = partition_ranges(asset, **_window(asset))
            outcomes[asset] = launch(Launch(asset, ranges, {}), databases.open_postgres(), person())
        with databases.open_postgres().connect() as connection:
            stored = station.stored_counts(connection)
    printed = {
        "station": report.rows if report else {},
        "observed": observed,
        **{asset: outcome.printed for asset, outcome in outcomes.items()},
        "stored": stored,
        "seconds": round(time.monotonic() - began, 1),
    }
    return Outcome(printed, _worst(outcome.exit_code for outcome in outcomes.values()), _closing(outcomes, stored))


def _window(asset: str) -> dict[str, str]:
    """From the sample's usage, which is of the day before the station was made, to now: no hour is late then."""
    if asset != "rated_usage":
        return {}
    with databases.open_postgres().connect() as connection:
        return station.billed_since(connection)


def _worst(exit_codes: Iterable[int]) -> int:
    return max(exit_codes, key=(DONE, ANOMALY, COULD_NOT).index)


def _closing(outcomes: Mapping[str, Outcome], stored: Mapping[str, int]) -> list[str]:
    """Sum up for a person."""
    said = [f"{asset}: {STOPS[asset].said.format(**outcome.printed['totals'])}" for asset, outcome in outcomes.items()]
    reasons = {asset: outcome.printed.get("reason") for asset, outcome in outcomes.items()}
    return [
        *said,
        "the station has {identities} identities from {sources} sources, and metadata of {albums} albums".format(
            **stored
        ),
        *(f"someone should look at {asset}: {reason}" for asset, reason in reasons.items() if reason),
        "next: `make up` opens the Dagster UI on this station",
    ]


def _say(text: str) -> None:
    click.echo(text, err=True)
