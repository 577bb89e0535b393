"""Whatever is in one answer of LML, of any of its endpoints, costs that input alone: its siblings are stored."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.poison.poison import POISON, Place, places, poisoned
from tests.run_harness import StationRuns
from tests.wxyc_assets.assets.album_metadata import fake_lml as albums_lml
from tests.wxyc_assets.assets.album_metadata.harness import AlbumMetadataRuns
from tests.wxyc_assets.assets.library_identity import fake_lml as libraries_lml
from tests.wxyc_assets.assets.library_identity.harness import LibraryIdentityRuns
from tests.wxyc_assets.assets.rotation_cache import fake_lml as cache_lml
from tests.wxyc_assets.assets.rotation_cache.harness import RotationCacheRuns
from tests.wxyc_assets.assets.rotation_identity import fake_lml as rotation_lml
from tests.wxyc_assets.assets.rotation_identity.harness import RotationIdentityRuns
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays

INPUTS = 5
GUILTY = 3
DEEP = "[" * 10_000 + "]" * 10_000

drawn = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def one_of(answer: Any) -> st.SearchStrategy[Place]:
    return st.sampled_from(places(answer))


def with_guilty(ids: Sequence[int], guilty: int, answer: Callable[[int, int], Any], place: Place, poison: str) -> bytes:
    """A body with the results of these ids, that of the guilty one poisoned; ``answer`` takes the position and the id."""
    texts = [
        poisoned(answer(at, one), place, poison) if one == guilty else json.dumps(answer(at, one))
        for at, one in enumerate(ids)
    ]
    return f'{{"results": [{", ".join(texts)}], "tracks_contract_version": null}}'.encode()


def accounted(report: Any) -> bool:
    """Whether the run did its job and every input has one outcome."""
    held = {finding.name: finding.passed for finding in report.findings}
    return report.verdict in {"done", "anomaly"} and held["accounting_holds"]


def assert_siblings_stored(runs: StationRuns, query: str) -> set[int]:
    """Assert that all inputs but the guilty one are stored, according to a query; return those that are."""
    stored = {row[0] for row in runs.rows(query)}
    assert stored | {GUILTY} == set(range(1, INPUTS + 1))
    return stored


@pytest.fixture
def libraries(station):
    with station.connect() as connection:
        generate_libraries(connection, INPUTS, first_id=1)
    return LibraryIdentityRuns(station)


@drawn
@given(place=one_of(libraries_lml.single_artist(GUILTY)), poison=POISON)
@example(place=Place(("main", "wikidata_qid")), poison=DEEP)
@example(place=Place(("provenance", 0, "external_id")), poison='"\\u0000"')
def test_identity_of_every_other_library_is_stored(libraries, place, poison):
    libraries.execute("TRUNCATE library_identity, library_identity_source, wxyc_assets.quarantine")

    def say(inputs):
        ids = [one["library_id"] for one in inputs]
        return with_guilty(ids, GUILTY, lambda _at, one: libraries_lml.single_artist(one), place, poison)

    with libraries_lml.serve_verdicts(say) as lml:
        report = libraries.run(lml.url)
    assert accounted(report)
    assert_siblings_stored(libraries, "SELECT library_id FROM library_identity")


@pytest.fixture
def albums(station):
    with station.connect() as connection:
        generate_libraries(connection, INPUTS, first_id=1)
        generate_plays(connection, 2 * INPUTS)
    return AlbumMetadataRuns(station)


@drawn
@given(place=one_of(albums_lml.match(0)), poison=POISON)
@example(place=Place(("lookup", "results", 0, "artwork", "artist_bio")), poison=DEEP)
@example(place=Place(("lookup", "results", 0, "artwork", "artwork_url")), poison='"\\ud800"')
def test_metadata_of_every_other_album_is_stored(albums, place, poison):
    albums.execute("TRUNCATE album_metadata, wxyc_assets.quarantine, wxyc_assets.album_no_match")

    def say(items):
        ids = [albums_lml.album_id_of(item) for item in items]
        return with_guilty(ids, GUILTY, lambda at, _one: albums_lml.match(at), place, poison)

    with albums_lml.serve_lookups(say) as lml:
        report = albums.run(lml.url)
    assert accounted(report)
    assert_siblings_stored(albums, "SELECT album_id FROM album_metadata")


@pytest.fixture
def rotation(station):
    runs = RotationIdentityRuns(station)
    for rotation_id in range(1, INPUTS + 1):
        runs.add(rotation_id, 1000 + rotation_id)
    return runs


@drawn
@given(place=one_of(rotation_lml.minted({"external_id": "1"})), poison=POISON)
def test_identity_of_every_other_rotation_row_is_stored(rotation, place, poison):
    rotation.execute("UPDATE rotation SET lml_identity_id = NULL; TRUNCATE wxyc_assets.quarantine")

    def say(body):
        answer = rotation_lml.minted(body)
        return poisoned(answer, place, poison).encode() if rotation_lml.release(body) == 1000 + GUILTY else answer

    with rotation_lml.serve_identities(say) as lml:
        report = rotation.run(lml.url, client={"attempts": 1})
    assert accounted(report)
    assert_siblings_stored(rotation, "SELECT id FROM rotation WHERE lml_identity_id IS NOT NULL")


@pytest.fixture
def cache(station):
    runs = RotationCacheRuns(station)
    for identity_id in range(1, INPUTS + 1):
        runs.add(identity_id)
    return runs


@drawn
@given(place=one_of(cache_lml.warmed(GUILTY)), poison=POISON)
@example(place=Place(("status",)), poison="9" * 5000)
def test_every_other_identity_counts_as_warmed(cache, place, poison):
    cache.execute("TRUNCATE wxyc_assets.quarantine")

    def say(ids):
        return with_guilty(ids, GUILTY, lambda _at, one: cache_lml.warmed(one), place, poison)

    with cache_lml.serve_refreshes(say) as lml:
        report = cache.run(lml.url)
    assert accounted(report)
    assert report.counters.warmed >= INPUTS - 1


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=100) | st.sampled_from(
    ["", " ", "&#99999999999999999999;", "%s %(x)s {}", "'; DROP TABLE library; --", "\x1b[31m", "\u202e", "\\", '"']
)


@drawn
@given(artist=TEXTS, title=TEXTS)
def test_any_text_in_the_catalogue_costs_its_own_library(libraries, artist, title):
    """LML refuses an empty artist, as the real one does; everything else is asked as it is."""
    libraries.execute("TRUNCATE library_identity, library_identity_source, wxyc_assets.quarantine")
    rename(libraries, artist, title)

    def say(inputs):
        if any(not one["artist_name"].strip() for one in inputs):
            return 422, {}
        return [libraries_lml.single_artist(one["library_id"]) for one in inputs]

    with libraries_lml.serve_verdicts(say) as lml:
        report = libraries.run(lml.url)
    assert accounted(report)
    stored = assert_siblings_stored(libraries, "SELECT library_id FROM library_identity")
    assert (GUILTY in stored) == bool(artist.strip())


@drawn
@given(artist=TEXTS, title=TEXTS)
def test_any_text_in_the_catalogue_costs_its_own_album(albums, artist, title):
    albums.execute("TRUNCATE album_metadata, wxyc_assets.quarantine, wxyc_assets.album_no_match")
    rename(albums, artist, title)

    def say(items):
        if any(not item["artist"].strip() for item in items):
            return 400, {}
        return [albums_lml.match(at) for at, _ in enumerate(items)]

    with albums_lml.serve_lookups(say) as lml:
        report = albums.run(lml.url)
    assert accounted(report)
    assert_siblings_stored(albums, "SELECT album_id FROM album_metadata")


def rename(runs, artist, title):
    """Give the guilty library a title, and an artist of its own: artists are shared."""
    with runs.postgres.connect() as connection:
        ((artist_id,),) = connection.execute(
            "INSERT INTO artists (artist_name, code_letters, alphabetical_name) VALUES (%s, 'P', 'P') RETURNING id",
            [artist],
        ).fetchall()
        connection.execute(
            "UPDATE library SET artist_id = %s, artist_name = %s, album_title = %s WHERE id = %s",
            [artist_id, artist, title, GUILTY],
        )
