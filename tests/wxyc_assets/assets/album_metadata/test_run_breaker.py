"""LML's own breaker: while it is open a run pauses, believes no no_match, and gives up after half an hour."""

import json
from typing import Any

from tests.run_harness import RecordedProgress
from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, all_match, match, no_match, serve_lookups
from tests.wxyc_assets.assets.album_metadata.harness import counts
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml

ONE_AT_A_TIME = DiscogsRate(30, 1)


def health(state):
    return {"status": "healthy", "discogs_breaker_state": state}


def nothing_found(items):
    """What LML answers while its breaker is open."""
    return [no_match(place) for place in range(len(items))]


def test_run_pauses_until_the_breaker_is_closed(albums):
    states = iter(["half_open", "closed"])
    albums.progress = RecordedProgress()
    with serve_lookups(all_match) as lml:
        lml.health = health("open")

        def next_state():
            assert lml.asked == []
            lml.health = health(next(states))

        albums.on_sleep = next_state
        report = albums.run(lml.url, shards=[3])
    assert (report.verdict, report.counters.match, albums.credited) == ("done", 10, [3])
    assert albums.slept == [30, 30]
    paused = [(line["breaker_state"], line["pause_ms"], line["paused_ms"]) for line in albums.steps("breaker_pause")]
    assert paused == [("open", 30_000, 0), ("half_open", 30_000, 30_000)]
    assert "is open: waiting 30 s (0 s waited so far)" in albums.notifications[0]
    assert albums.progress.calls[1:3] == [("waits for LML's breaker to Discogs", 30)] * 2


def test_run_gives_up_after_half_an_hour(albums):
    """It fails, and what it did not ask about stays as it was."""
    before = albums.rows("SELECT f::text FROM flowsheet f ORDER BY id")
    with serve_lookups(nothing_found) as lml:
        lml.health = health("open")
        report = albums.run(lml.url)
        assert (lml.asked, lml.health_asked) == ([], 61)
    assert sum(albums.slept) == 1800
    assert (report.verdict, albums.credited, report.counters.scanned) == ("failed", [], 0)
    assert "LML's breaker to Discogs has been open for 30 minutes" in report.reason
    for table in ("wxyc_assets.album_no_match", "wxyc_assets.quarantine", "album_metadata"):
        assert albums.rows(f"SELECT FROM {table}") == []
    assert albums.rows("SELECT f::text FROM flowsheet f ORDER BY id") == before


def test_breaker_that_opens_during_the_run_misjudges_nothing(albums):
    """LML does not say that its answers are degraded. What was written before the pause stays."""
    with serve_lookups(all_match) as lml:
        lml.health = health("closed")

        def open_after_three_calls(items):
            if len(lml.asked) > 3:
                lml.health = health("open")
                return nothing_found(items)
            return all_match(items)

        lml.say = open_after_three_calls
        report = albums.run(lml.url, discogs_rate=ONE_AT_A_TIME, batch_size=5)
    assert report.verdict == "failed"
    assert report.counters.no_match == 0
    assert report.counters.match == 15
    assert albums.rows("SELECT FROM wxyc_assets.album_no_match") == []
    reasons = {line["error_message"] for line in albums.steps("lml_error")}
    assert reasons <= {"degraded: LML's breaker to Discogs is open"}
    assert sum(albums.slept) == 1800
    albums.assert_adds_up(report)


def test_answers_from_the_cache_count_while_the_breaker_is_open(albums):
    """A match is one whatever the breaker; of the others only what LML calls definitive."""
    with serve_lookups(all_match) as lml:

        def opens(items):
            lml.health = health("open")
            cache_only = {"degraded": True, "degraded_reason": "cache_only"}
            return [
                match(place) if album_id_of(item) % 32 == 3 else no_match(place, **(cache_only if place % 2 else {}))
                for place, item in enumerate(items)
            ]

        lml.say = opens
        lml.health = health("closed")
        report = albums.run(lml.url, shards=[3], batch_size=100, discogs_rate=ONE_AT_A_TIME)
    assert counts(report, "match", "no_match", "error") == {"match": 5, "no_match": 5, "error": 0}
    albums.assert_adds_up(report)


def test_run_goes_on_without_a_breaker_or_without_health(albums):
    answers: list[Any] = [{"status": "healthy"}, health(None), health(7), (500, {}), b"no json", (404, {})]
    for answer in answers:
        with serve_lookups(all_match) as lml:
            lml.health = answer
            assert albums.run(lml.url, shards=[3]).counters.match == 10, answer
            assert lml.health_asked == 1
    assert albums.slept == []


def test_unhealthy_lml_can_name_its_breaker(albums):
    with serve_lookups(all_match) as lml:
        lml.health = json.dumps(health("open") | {"status": "unhealthy"}).encode()
        albums.run(lml.url, shards=[3])
    assert sum(albums.slept) == 1800


def test_run_against_the_sandbox_resumes_when_it_closes(albums):
    with SandboxLml(discogs=DiscogsConfig(cold_items=None, limit_calls=None, call_latency_ms=0)) as lml:
        lml.discogs.breaker_state = "open"

        def close():
            lml.discogs.breaker_state = "closed"

        albums.on_sleep = close
        report = albums.run(lml.url, shards=[3])
    assert (report.verdict, len(albums.slept), report.counters.lml_degraded) == ("done", 1, 0)
