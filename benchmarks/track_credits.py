"""Track credits of compilations a second: library_identity's sets of a page against one UPDATE a row.

6,300 compilations of 56 credits, as the station has. LML's answers are read before the clock starts, so that both sides are
measured from the same answers to the same rows: matching each credit to its row, finding its artist in the catalogue by the
folded name, writing, and the station's triggers. One UPDATE a row does all of that in one statement and one transaction for
each credit.

Through a local socket a round trip costs almost nothing, and most of the time is PostgreSQL's own for each row: its indexes, a
foreign key, a notification. The station's database is on another host, so both are also measured with a round trip of half a
millisecond. ``run_per_s`` is a whole run of the asset, with an LML in a process of its own, over a copy of the same station.

    python -m benchmarks.track_credits [--compilations 6300] [--credits 56] [--one-by-one 6000] [--round-trip-ms 0.5]
"""

import argparse
import asyncio
import gc
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace

import orjson
import psycopg

from benchmarks.library_identity import RETRY, STALE, lml_process, ours
from benchmarks.stations import copy_of, create_station, temporary_server, vacuum
from resources.postgres import Postgres
from wxyc_assets.assets.library_identity import store
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.track_credits import TrackCredit
from wxyc_assets.assets.library_identity.verdicts import Outcome, classify
from wxyc_assets.assets.library_identity.writer import ShardWriter
from wxyc_assets.runs.lanes import LANES
from wxyc_assets.runs.partitions import SHARD_COUNT
from wxyc_assets.sandbox.compilation_generator import generate_compilations
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig, SimulatedDiscogs
from wxyc_assets.sandbox.lml.service import LmlService

OTHER_LIBRARIES = 20_000

ONE_UPDATE = """
    UPDATE compilation_track_artist c
    SET track_artist_id = a.artist_id, track_artist_link_confidence = %(confidence)s, track_artist_link_method = 'lml_backfill',
      track_position = COALESCE(c.track_position, %(position)s)
    FROM (
      SELECT CASE WHEN count(*) = 1 THEN min(id) END AS artist_id
      FROM artists WHERE fold_artist_name(artist_name) = fold_artist_name(%(name)s)
    ) AS a
    WHERE c.library_id = %(library_id)s AND c.artist_name = %(artist)s AND c.track_title IS NOT DISTINCT FROM %(title)s
      AND c.track_artist_link_method IS DISTINCT FROM 'librarian'
"""


def at_distance(station: Postgres, round_trip_s: float) -> Postgres:
    """Return the station with a pause before each statement and each commit, as long as a round trip."""
    return replace(station, guard=lambda: time.sleep(round_trip_s)) if round_trip_s else station


def outcomes_by_shard(station: Postgres) -> dict[int, list[list[Outcome]]]:
    """Return LML's answers about all compilations, classified, page by page of each shard."""
    service = LmlService(SimulatedDiscogs(DiscogsConfig()), tracks=True)
    pages: dict[int, list[list[Outcome]]] = {shard: [] for shard in range(SHARD_COUNT)}
    with station.connect() as connection:
        as_of, upto_id = store.run_start(connection)
        selection = store.Selection(as_of, upto_id, STALE, RETRY)
        for shard, shard_pages in pages.items():
            for page in store.pages(connection, selection, shard=shard, shard_count=SHARD_COUNT, page_size=500):
                if page[0].is_va:
                    inputs = [
                        {"library_id": one.library_id, "artist_name": one.artist_name, "album_title": one.album_title}
                        for one in page
                    ]
                    body = orjson.dumps({"inputs": inputs, "include_tracks": True})
                    answer = asyncio.run(service.bulk_resolve(body, None))
                    shard_pages.append(classify(page, answer["results"], reads_tracks=True).outcomes)
    return pages


def set_based(station: Postgres, pages: dict[int, list[list[Outcome]]]) -> tuple[int, float]:
    """Write all pages as a run does, in its lanes; return how many credits LML names, and the seconds."""

    def write(lane: int) -> None:
        with station.connect() as connection:
            for shard in range(lane, SHARD_COUNT, LANES):
                writer = ShardWriter(connection, "benchmark", shard)
                for page in pages[shard]:
                    writer.write(page, Counters())

    lanes = [threading.Thread(target=write, args=[lane]) for lane in range(LANES)]
    start = time.perf_counter()
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join()
    seconds = time.perf_counter() - start
    return len(credits_of(pages)), seconds


def one_by_one(station: Postgres, said: Sequence[TrackCredit]) -> tuple[int, float]:
    """Write each credit with an UPDATE of its own; return their number and the seconds."""
    start = time.perf_counter()
    with station.connect() as connection:
        for credit in said:
            parameters = {
                "library_id": credit.library_id,
                "artist": credit.artist_name,
                "title": credit.track_title,
                "name": credit.resolved_artist_name,
                "confidence": credit.confidence,
                "position": credit.position,
            }
            connection.execute(ONE_UPDATE, parameters)
    return len(said), time.perf_counter() - start


def credits_of(pages: dict[int, list[list[Outcome]]]) -> list[TrackCredit]:
    """Return the credits of all pages."""
    return [credit for shard in pages.values() for page in shard for one in page for credit in one.track_credits]


def main() -> None:
    """Measure both, and print their rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compilations", type=int, default=6300)
    parser.add_argument("--credits", type=int, default=56)
    parser.add_argument("--one-by-one", type=int, default=6000)
    parser.add_argument("--round-trip-ms", type=float, default=0.5)
    options = parser.parse_args()
    rates: dict[str, float] = {}

    def fill(connection: psycopg.Connection) -> None:
        generate_libraries(connection, OTHER_LIBRARIES, canonical_share=0)
        generate_compilations(connection, options.compilations, credits_each=options.credits)

    def record(name: str, measured: tuple[int, float]) -> None:
        count, seconds = measured
        rates[name] = round(count / seconds)

    with temporary_server() as (server, _):
        template = create_station(server, "bench_credits", fill)
        vacuum(template)
        pages = outcomes_by_shard(template)
        said = credits_of(pages)
        gc.freeze()  # a run holds a few pages at a time, and so has not all answers to look through
        for where, round_trip_s in (("", 0.0), ("_remote", options.round_trip_ms / 1000)):
            with copy_of(template, server) as station:
                measured = one_by_one(at_distance(station, round_trip_s), said[: options.one_by_one])
                record(f"one_update_a_row{where}_per_s", measured)
            with copy_of(template, server) as station:
                record(f"ours{where}_per_s", set_based(at_distance(station, round_trip_s), pages))
        del pages
        with copy_of(template, server) as station, lml_process(0, "--tracks") as url:
            _, seconds = ours(station, url)
            record("run_per_s", (len(said), seconds))
    for where in ("", "_remote"):
        ratio = rates[f"ours{where}_per_s"] / rates[f"one_update_a_row{where}_per_s"]
        rates[f"times_one_update_a_row{where}"] = round(ratio, 1)
    print(json.dumps({"benchmark": "track_credits", "credits": len(said), **rates}))


if __name__ == "__main__":
    main()
