"""A run and the station's shared budget of Discogs calls."""

import time

from tests.wxyc_assets.assets.album_metadata.fake_lml import all_match, serve_lookups
from wxyc_assets.runs.discogs_rate import DiscogsRate


def test_every_call_is_reserved_from_the_budget(albums):
    ((start,),) = albums.rows("SELECT clock_timestamp()")
    with serve_lookups(all_match, api_calls=None) as lml:
        began = time.monotonic()
        report = albums.run(lml.url, shards=[3], batch_size=5, per_minute=600, discogs_rate=DiscogsRate(600, 1))
    assert report.verdict == "done"
    assert time.monotonic() - began >= 0.5  # ten albums at ten a second, the first five at once
    assert albums.rows("SELECT tat > %s FROM wxyc_assets.budget", [start]) == [(True,)]


def test_ledger_has_the_calls_that_remain(albums):
    calls_left: list[float] = []

    def look_and_answer(items):
        calls_left.append(albums.rows("SELECT discogs_calls_left FROM wxyc_assets.run")[0][0])
        return all_match(items)

    with serve_lookups(look_and_answer) as lml:
        albums.run(lml.url, shards=[3, 4], discogs_rate=DiscogsRate(30, 2))  # one batch at a time
    assert calls_left[0] == 40
    assert calls_left == sorted(calls_left, reverse=True)
    assert calls_left[-1] <= 20
    assert albums.rows("SELECT discogs_calls_left FROM wxyc_assets.run") == [(0,)]


def test_batch_time_excludes_the_wait_for_the_budget(albums):
    """The second batch waits three seconds: five albums at a hundred a minute."""
    with serve_lookups(all_match, api_calls=None) as lml:
        began = time.monotonic()
        report = albums.run(lml.url, shards=[3], batch_size=5, per_minute=100, discogs_rate=DiscogsRate(200, 1))
    assert (report.verdict, report.reason) == ("done", "")
    assert time.monotonic() - began >= 3
    assert max(line["wall_clock_ms"] for line in albums.steps("batch_done")) < 2500


def test_albums_without_discogs_cost_do_not_wait_for_the_budget(albums):
    """A reservation can be returned only if no later one exists: with more calls in flight, the run would take five minutes."""
    with serve_lookups(all_match, api_calls=0) as lml:
        began = time.monotonic()
        report = albums.run(lml.url, per_minute=30, discogs_rate=DiscogsRate(30, 1))
    assert (report.verdict, report.counters.match) == ("done", 160)
    assert time.monotonic() - began < 150
