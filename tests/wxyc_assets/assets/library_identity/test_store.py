"""The pages hold every eligible library, each once."""

import tracemalloc
from datetime import timedelta

import pytest

from tests.libraries import add_library
from tests.wxyc_assets.assets.library_identity.fake_lml import single_artist, unresolved
from tests.wxyc_assets.assets.library_identity.tables import pages, rows, selection, write
from wxyc_assets.assets.library_identity import store
from wxyc_assets.assets.library_identity.store import Selection
from wxyc_assets.sandbox.generator import generate_libraries


@pytest.mark.parametrize("page_size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("shard_count", [1, 3, 16])
def test_pages_hold_each_eligible_library_once_in_order(connection, page_size, shard_count):
    ids = [1, 2, 3, 16, 32, 48, 64, 80, 1000, 1016, 2_000_000, 2_000_001, 2_147_483_647]
    for library_id in ids:
        add_library(connection, library_id)
    add_library(connection, 4, artist_name=None)
    add_library(connection, 5, canonical=False)
    found = []
    for shard in range(shard_count):
        shards_pages = pages(connection, page_size, shard, shard_count)
        assert all(len(page) == page_size for page in shards_pages[:-1])
        assert all(0 < len(page) <= page_size for page in shards_pages)
        of_shard = [library.library_id for page in shards_pages for library in page]
        assert of_shard == sorted(one for one in ids if one % shard_count == shard)
        found += of_shard
    assert sorted(found) == ids


def test_page_has_the_columns_of_the_library(connection):
    add_library(connection, 7, artist_name='O\'Malley "☃" \\ %')
    ((library,),) = pages(connection)
    ((legacy_id,),) = rows(connection, "SELECT legacy_release_id FROM library")
    assert (library.library_id, library.artist_name, library.album_title, library.legacy_release_id) == (
        7,
        'O\'Malley "☃" \\ %',
        "Edits",
        legacy_id,
    )


def test_empty_library_has_no_page_and_nothing_left(connection):
    assert pages(connection) == []
    assert store.count_eligible(connection, selection(connection), shards=[0], shard_count=1) == {}


def worked_fixture(connection):
    day = timedelta(days=1)
    add_library(connection, 1)
    add_library(connection, 2, letters="ZA")
    add_library(connection, 3, letters="ZA", marked=10 * day)
    add_library(connection, 4, letters="ZA")
    add_library(connection, 5, canonical=False)
    add_library(connection, 6, canonical=False, letters="ZZ", marked=31 * day)
    add_library(connection, 7, artist_name=None)
    add_library(connection, 8)
    add_library(connection, 9, verified=8 * day)
    add_library(connection, 10, canonical=False, verified=8 * day, marked=timedelta(0))
    add_library(connection, 11, letters="za")
    chosen = selection(connection)
    connection.execute("UPDATE library SET unresolved_attempted_at = %s WHERE id = 4", [chosen.as_of - 30 * day])
    connection.execute(
        "INSERT INTO library_identity (library_id, last_verified_at, method, confidence) VALUES (8, %s, 'manual', 1)",
        [chosen.as_of - 7 * day],
    )
    return chosen


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, {1, 2, 9, 11}),
        ({"include_null_canonical": True}, {1, 2, 5, 6, 9, 11}),
        ({"recheck": True}, {3, 4, 6, 10}),
    ],
    ids=str,
)
def test_worked_fixture_of_the_contract_selects_as_designed(connection, flags, expected):
    chosen = Selection(**{**vars(worked_fixture(connection)), **flags})
    found = store.pages(connection, chosen, shard=0, shard_count=1, page_size=2)
    assert {library.library_id for page in found for library in page} == expected
    left = store.count_eligible(connection, chosen, shards=range(16), shard_count=16)
    assert left == {library_id % 16: 1 for library_id in expected}


def test_recheck_leaves_the_libraries_it_did_not_ask_about(connection):
    chosen = Selection(**{**vars(worked_fixture(connection)), "recheck": True})
    write(connection, unresolved(3), single_artist(4))
    assert store.count_eligible(connection, chosen, shards=range(16), shard_count=16) == {6: 1, 10: 1}


def test_libraries_changed_after_the_start_do_not_count_as_left(connection):
    add_library(connection, 1, canonical=False)
    add_library(connection, 9)
    chosen = selection(connection)
    add_library(connection, 3)
    connection.execute(
        "UPDATE library SET canonical_entity_id = 'e', canonical_entity_resolved_at = clock_timestamp() WHERE id = 1"
    )
    assert store.count_eligible(connection, chosen, shards=range(16), shard_count=16) == {9: 1}


def test_library_imported_after_the_start_does_not_count_as_left(connection):
    """An import keeps the date of the original: only the id says that the run did not read it."""
    add_library(connection, 9)
    chosen = selection(connection)
    add_library(connection, 12)
    connection.execute("UPDATE library SET add_date = '2020-01-01', canonical_entity_resolved_at = '2020-01-01'")
    assert store.count_eligible(connection, chosen, shards=range(16), shard_count=16) == {9: 1}


@pytest.mark.parametrize("column", ["add_date", "canonical_entity_resolved_at", "unresolved_attempted_at"])
@pytest.mark.parametrize(("later", "counts"), [(timedelta(microseconds=-1), True), (timedelta(0), False)])
def test_change_at_the_very_start_is_a_change_since_then(connection, column, later, counts):
    add_library(connection, 9)
    chosen = selection(connection, recheck=column == "unresolved_attempted_at")
    connection.execute("UPDATE library SET add_date = '2020-01-01'")
    connection.execute(f"UPDATE library SET {column} = %s", [chosen.as_of + later])
    left = store.count_eligible(connection, chosen, shards=range(16), shard_count=16)
    assert left == ({9: 1} if counts else {})


def test_libraries_added_after_the_start_are_not_read(connection):
    add_library(connection, 1)
    chosen = selection(connection)
    add_library(connection, 2)
    assert [len(page) for page in store.pages(connection, chosen, shard=0, shard_count=1, page_size=9)] == [1]


def test_memory_does_not_grow_with_the_library(connection):
    def peak_bytes(libraries):
        generate_libraries(connection, libraries)
        chosen = selection(connection)
        tracemalloc.start()
        count = sum(len(page) for page in store.pages(connection, chosen, shard=0, shard_count=2, page_size=50))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return count, peak

    few, few_peak = peak_bytes(600)
    many, many_peak = peak_bytes(9_000)
    assert many > 10 * few
    assert many_peak < 1.5 * few_peak
