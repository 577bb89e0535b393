"""Runs whose LML answers wrongly, fails or is down: what is counted, and what the next run makes up for."""

import json
import random
import time

import pytest

from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.album_metadata.fake_lml import (
    all_match,
    failed,
    match,
    no_match,
    serve_lookups,
)
from tests.wxyc_assets.assets.album_metadata.harness import OUTCOMES, counts
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.faults import Fault
from wxyc_assets.sandbox.lml.server import SandboxLml

LOOKUP = "lookup-bulk"


@pytest.mark.parametrize(
    ("kind", "lost", "extra"),
    [
        ("short", {"unexpected_index": 1}, {}),
        ("long", {}, {"answers_untrusted": 1}),
        ("shifted", {"unexpected_index": 5}, {}),
        ("swapped", {"unexpected_index": 2}, {}),
        ("duplicated", {"unexpected_index": 1}, {}),
        ("foreign", {"unexpected_index": 1}, {}),
        ("null_item", {"unexpected_index": 1}, {}),
        ("non_integer_index", {"unexpected_index": 1}, {}),
        ("bad_confidence", {}, {}),  # this asset does not read it
        ("unknown_kind", {"error": 1}, {"contract_violation": 1}),
    ],
)
def test_damaged_answer_affects_only_the_damaged_albums(albums, sandbox, kind, lost, extra):
    """The next run makes up for them."""
    sandbox.faults.arm(Fault(endpoint=LOOKUP, kind=kind, count=1))
    report = albums.run(sandbox.url)
    assert counts(report, *lost, *extra) == lost | extra
    assert report.counters.match + report.counters.no_match == 160 - sum(lost.values())
    albums.assert_adds_up(report)
    assert ("unexpected_index_is_zero" in failed_checks(report)) == ("unexpected_index" in lost)
    assert report.verdict == ("anomaly" if lost else "done")
    rows_before = len(albums.metadata())
    again = albums.run(sandbox.url)
    assert again.verdict == "done", again.reason
    assert again.counters.match == report.counters.match + (len(albums.metadata()) - rows_before) + (
        again.counters.match_without_artwork - report.counters.match_without_artwork
    )


def test_row_is_never_written_for_another_album(albums):
    chance = random.Random(3)

    def shuffled(items):
        answers = all_match(items)
        chance.shuffle(answers)
        return answers[chance.randrange(2) :]

    with serve_lookups(shuffled) as lml:
        report = albums.run(lml.url)
    written = albums.releases()
    assert written == {album_id: album_id for album_id in written}
    assert 0 < len(written) == report.counters.upserts < 160
    assert report.counters.unexpected_index == 160 - len(written)
    albums.assert_adds_up(report)


@pytest.mark.parametrize(
    "junk", ["[" * 1000 + "]" * 1000, '"' + "x" * 100_000 + '"', "1e400", "NaN", '"\\ud800"', "9" * 4000], ids=len
)
def test_junk_in_an_answer_affects_no_other_album(albums, junk):
    """The junk is as deep or as long as the client's parser accepts."""

    def with_junk(items):
        good = [json.dumps(answer) for answer in all_match(items)]
        bad = [junk, f'{{"index": {junk}, "status": "match"}}', f'{{"index": 2, "status": {junk}, "lookup": {junk}}}']
        return f'{{"results": [{", ".join(bad + good[3:])}]}}'.encode()

    with serve_lookups(with_junk) as lml:
        report = albums.run(lml.url, shards=[0], batch_size=10)
    assert counts(report, "match", "unexpected_index", "error", "contract_violation") == {
        "match": 7, "unexpected_index": 2, "error": 1, "contract_violation": 1,
    }  # fmt: skip
    assert max(len(line) for line in albums.log_text.splitlines()) < 2000
    albums.assert_adds_up(report)


def test_surplus_answers_are_logged_counted_and_ignored(albums):
    with serve_lookups(lambda items: [*all_match(items), match(len(items)), match(0)]) as lml:
        report = albums.run(lml.url, shards=[3])
    assert counts(report, "match", "answers_untrusted", "unexpected_index") == {
        "match": 10, "answers_untrusted": 4, "unexpected_index": 0,
    }  # fmt: skip
    assert [line["surplus"] for line in albums.steps("surplus_answers")] == [2, 2]
    assert (report.verdict, failed_checks(report)) == ("done", {"surplus_answers_zero"})


def test_degraded_answers_are_errors_and_no_no_matches(albums):
    """A run that got no other answers has failed, and credits nothing."""

    def cut_off(items):
        return [
            no_match(place, timeout=True, degraded=True, degraded_reason="deadline_exceeded")
            for place in range(len(items))
        ]

    with serve_lookups(cut_off) as lml:
        report = albums.run(lml.url, shards=[3])
        assert counts(report, "error", "no_match", "batch_error", "lml_degraded") == {
            "error": 10, "no_match": 0, "batch_error": 0, "lml_degraded": 10,
        }  # fmt: skip
        assert albums.rows("SELECT FROM wxyc_assets.album_no_match") == []
        assert {line["error_message"] for line in albums.steps("lml_error")} == {"degraded: deadline_exceeded"}
        assert (report.verdict, albums.credited) == ("failed", [])
        assert "LML answered none of the 10 albums asked" in report.reason
        assert albums.run(lml.url, shards=[3]).counters.error == 10
    assert albums.rows("SELECT FROM wxyc_assets.quarantine") == []


def test_run_with_some_degraded_answers_is_an_anomaly(albums):
    def half(items):
        return [
            no_match(place, degraded=True, degraded_reason="upstream_unavailable") if place % 2 else match(place)
            for place in range(len(items))
        ]

    with serve_lookups(half) as lml:
        report = albums.run(lml.url, shards=[3])
    assert counts(report, "match", "error", "lml_degraded") == {"match": 6, "error": 4, "lml_degraded": 4}
    assert (report.verdict, albums.credited) == ("anomaly", [3])
    assert "LML did not answer for 4 albums" in report.reason
    albums.assert_adds_up(report)


def test_no_match_from_the_cache_alone_is_remembered(albums):
    def cache_only(items):
        return [no_match(place, degraded=True, degraded_reason="cache_only") for place in range(len(items))]

    with serve_lookups(cache_only) as lml:
        assert albums.run(lml.url, shards=[3]).counters.no_match == 10
        assert albums.run(lml.url, shards=[3]).counters.deferred == 10


def test_match_of_another_album_is_not_written_and_rests(albums):
    """It is asked again once the retry period has ended, and a trusted answer then writes its row."""

    def another_album(items):
        answers = all_match(items)
        answers[0]["lookup"]["search_type"] = "fallback"
        answers[0]["lookup"]["results"][0]["library_item"]["title"] = "another"
        return answers

    with serve_lookups(another_album) as lml:
        report = albums.run(lml.url, shards=[3])
        assert counts(report, "scanned", "match", "match_untrusted", "upserts") == {
            "scanned": 10, "match": 8, "match_untrusted": 2, "upserts": 8,
        }  # fmt: skip
        albums.assert_adds_up(report)
        assert report.verdict == "done"
        assert sorted(albums.metadata()) == [19, 35, 51, 67, 99, 115, 131, 147]
        assert [line["album_id"] for line in albums.steps("match_untrusted")] == [3, 83]
        lml.say = all_match
        assert counts(albums.run(lml.url, shards=[3]), "match", "deferred") == {"match": 8, "deferred": 2}
        albums.execute("UPDATE wxyc_assets.album_no_match SET asked_at = now() - interval '31 days'")
        assert albums.run(lml.url, shards=[3]).counters.match == 10
    assert len(albums.metadata()) == 10
    assert albums.rows("SELECT FROM wxyc_assets.album_no_match") == []


def test_lml_out_of_budget_makes_errors_and_no_no_match(albums):
    slow = DiscogsConfig(cold_items=None, call_latency_ms=400)
    with SandboxLml(discogs=slow) as lml:
        report = albums.run(lml.url, shards=[3], budget_ms=100)
    assert (report.counters.error, report.counters.no_match) == (10, 0)
    assert albums.rows("SELECT FROM wxyc_assets.album_no_match") == []


@pytest.mark.parametrize(
    "fault",
    [
        Fault(endpoint=LOOKUP, kind="status", status=500),
        Fault(endpoint=LOOKUP, kind="status", status=503),
        Fault(endpoint=LOOKUP, kind="broken_json"),
        Fault(endpoint=LOOKUP, kind="disconnect"),
        Fault(endpoint=LOOKUP, kind="hang"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_failed_call_loses_its_batch_alone(albums, sandbox, fault):
    """Its albums stay pending for the next run."""
    sandbox.faults.arm(fault)
    report = albums.run(sandbox.url, client={"timeouts_s": {"bulk_lookup": 3 if fault.kind == "hang" else 20}})
    assert counts(report, "scanned", "error", "batch_error") == {"scanned": 160, "error": 5, "batch_error": 5}
    assert report.verdict == "anomaly"
    assert "LML did not answer for 5 albums" in report.reason
    assert sorted(albums.credited) == list(range(16))
    (line,) = albums.steps("lml_batch_failed")
    assert (line["size"], line["level"]) == (5, "warn")
    assert line["error_message"].startswith("Lml")
    assert line["first_album_id"] < line["last_album_id"]
    assert albums.steps("lml_error") == []  # that step is about single albums
    failed_batch = [line for line in albums.steps("batch_done") if line["lml_error"]]
    assert [(line["scanned"], line["match"]) for line in failed_batch] == [(5, 0)]
    albums.assert_adds_up(report)
    assert albums.run(sandbox.url).verdict == "done"


def test_throttled_batch_is_deferred_and_no_error(albums, sandbox):
    sandbox.faults.arm(Fault(endpoint=LOOKUP, kind="rate_limited", retry_after_s=0))
    report = albums.run(sandbox.url)
    assert counts(report, "error", "batch_error", "deferred", "lml_deferred") == {
        "error": 0, "batch_error": 0, "deferred": 5, "lml_deferred": 5,
    }  # fmt: skip
    assert report.verdict == "anomaly"
    (line,) = albums.steps("lml_batch_deferred")
    assert line["error_message"].startswith("LmlRateLimited")
    assert albums.steps("lml_error") == albums.steps("lml_batch_failed") == []
    albums.assert_adds_up(report)
    assert albums.run(sandbox.url).verdict == "done"


def test_run_waits_out_a_429_and_loses_no_album(albums, sandbox):
    sandbox.faults.arm(Fault(endpoint=LOOKUP, kind="rate_limited", retry_after_s=1))
    before = time.monotonic()
    report = albums.run(sandbox.url, shards=[3], client={"attempts": 2})
    assert report.verdict == "done", report.reason
    assert report.counters.lml_total_calls == 3
    assert time.monotonic() - before > 1


def test_run_fails_if_lml_is_down_and_still_counts_every_album(albums):
    """Once the breaker is open, the run makes no more calls."""
    with serve_lookups(lambda _items: (500, {})) as lml:
        report = albums.run(lml.url, client={"breaker_threshold": 3}, discogs_rate=DiscogsRate(30, 1))
    assert len(lml.asked) == report.counters.lml_total_calls == 3
    assert counts(report, "scanned", *OUTCOMES) == {
        "scanned": 160, "match": 0, "match_untrusted": 0, "no_match": 0, "error": 15,
        "unexpected_index": 0, "skipped_unresolvable": 0, "deferred": 145,
    }  # fmt: skip
    assert (report.verdict, albums.credited) == ("failed", [])
    assert "160" in report.reason
    assert albums.metadata() == {}
    assert albums.rows("SELECT FROM wxyc_assets.album_no_match") == []
    assert albums.rows("SELECT FROM wxyc_assets.quarantine") == []
    assert [line["step"] for line in albums.lines[-2:]] == ["finished", "failed"]
    assert albums.steps("failed")[0]["level"] == "error"
    assert albums.steps("failed")[0]["error_name"]
    assert albums.steps("analyze_started") == []
    albums.assert_adds_up(report)


def test_refused_key_is_sent_once(albums):
    with serve_lookups(lambda _items: (401, {})) as lml:
        report = albums.run(lml.url, discogs_rate=DiscogsRate(30, 1))
    assert (report.verdict, report.counters.batch_error, len(lml.asked)) == ("failed", 160, 1)
    assert len(albums.steps("lml_batch_failed")) == 32


def test_run_is_done_if_lml_answers_error_for_every_album(albums):
    with serve_lookups(lambda items: [failed(place) for place in range(len(items))]) as lml:
        report = albums.run(lml.url, shards=[3])
    assert (report.verdict, report.counters.error, albums.credited) == ("done", 10, [3])
    assert [line["album_id"] for line in albums.steps("lml_error")] == list(range(3, 160, 16))
