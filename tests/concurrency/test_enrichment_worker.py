"""album_metadata and flowsheet_enrichment beside the station's enrichment worker, which writes the same rows."""

import random

import pytest

from resources.postgres import Postgres
from tests.concurrency.enrichment_worker import WATCH, EnrichmentWorker
from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, match, no_match, serve_lookups
from tests.wxyc_assets.assets.album_metadata.harness import AlbumMetadataRuns
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import FlowsheetEnrichmentRuns
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays

LINKS = {
    "spotify": "https://open.spotify.com/album/",
    "apple_music": "https://music.apple.com/us/album/",
    "bandcamp": "https://x.example/",
}


def random_answers(seed):
    chance = random.Random(seed)

    def answer(place, item):
        if chance.random() < 0.2:
            return no_match(place)
        said = {service: chance.choice(["verified", "absent", "unresolved", None]) for service in LINKS}
        urls = {
            f"{service}_url": LINKS[service] + str(album_id_of(item)) if said[service] in ("verified", None) else None
            for service in LINKS
        }
        pictures = {"artwork_url": chance.choice([None, "https://i.discogs.com/7.jpeg"])}
        return match(place, streaming_status=said, **urls, **pictures)

    return lambda items: [answer(place, item) for place, item in enumerate(items)]


@pytest.fixture
def station_with_plays(station: Postgres) -> Postgres:
    """160 albums with three pending plays each."""
    with station.connect() as connection:
        generate_libraries(connection, 160, first_id=1)
        generate_plays(connection, 480)
        connection.execute(WATCH)
    return station


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_runs_and_worker_lose_nothing_of_each_other(station_with_plays, seed):
    """No verified link is lost, no play of a shell and no young play is marked, none twice, and nothing deadlocks."""
    albums = AlbumMetadataRuns(station_with_plays)
    flowsheet = FlowsheetEnrichmentRuns(station_with_plays, chunk_plays=20)
    marked, reasons = 0, []
    with serve_lookups(random_answers(seed)) as lml, EnrichmentWorker(station_with_plays, seed, steps=600) as worker:
        while worker.working:
            report = albums.run(lml.url, batch_size=random.Random(seed).choice([5, 20]))
            albums.assert_adds_up(report)
            passed = flowsheet.run(lookback_s=0)
            marked += passed.counters.flipped
            reasons += [f"{one.verdict}: {one.reason}" for one in (report, passed) if one.verdict == "failed"]
    assert worker.failures == []
    assert reasons == []
    assert albums.rows("SELECT what, id FROM violation") == []
    assert albums.rows("SELECT play_id FROM mark GROUP BY 1 HAVING count(*) > 1") == []
    assert albums.rows("SELECT count(*) FROM mark") == [(marked,)]
    assert marked > 100
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    assert albums.rows(deadlocks) == [(0,)]
    verified = "SELECT count(*) FROM album_metadata WHERE spotify_url LIKE 'worker %' AND spotify_status = 'verified'"
    assert albums.rows(verified)[0][0] > 0
