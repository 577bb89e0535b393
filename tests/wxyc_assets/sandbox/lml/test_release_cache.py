"""The cache of the simulated Discogs."""

import pytest

from wxyc_assets.sandbox.lml.release_cache import ReleaseCache


@pytest.mark.parametrize(
    ("cold_items", "cached"), [(0, [True, True, True]), (2, [False, False, True]), (None, [False] * 3)]
)
def test_first_releases_are_cold_and_all_others_warm(cold_items, cached):
    cache = ReleaseCache(cold_items)
    assert [release in cache for release in "abc"] == cached
    assert [release in cache for release in "abc"] == cached


def test_warmed_release_needs_no_call():
    cache = ReleaseCache(None)
    cache.warm("a")
    assert "a" in cache


def test_next_server_has_the_cache_of_the_last_one(tmp_path):
    """Else every demo on the same home would wait for the same Discogs calls again."""
    first = ReleaseCache(2, tmp_path / "cache")
    assert "a" not in first
    assert "b" not in first
    first.warm("a")
    second = ReleaseCache(2, tmp_path / "cache")
    assert [release in second for release in "abc"] == [True, False, True]


def test_cache_that_cannot_be_stored_still_works(tmp_path):
    cache = ReleaseCache(1, tmp_path / "missing" / "cache")
    assert "a" not in cache
    cache.warm("a")
    assert "a" in cache
