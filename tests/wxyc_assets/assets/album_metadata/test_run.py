"""A whole run, over real HTTP into a real database: what it writes and counts, and what a dry run reports."""

import pytest

from tests.run_harness import failed_checks
from tests.waiting import wait_for
from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, all_match, mixed, no_match, serve_lookups
from tests.wxyc_assets.assets.album_metadata.harness import OUTCOMES, counts
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.runs import advisory_locks
from wxyc_assets.runs.discogs_rate import DiscogsRate


def test_each_pending_album_is_requested_once_and_gets_its_row(albums):
    with serve_lookups(mixed) as lml:
        report = albums.run(lml.url)
    assert sorted(album_id_of(item) for call in lml.asked for item in call) == list(range(1, 161))
    assert albums.releases() == {one: one for one in range(1, 161) if one % 10 > 2}
    assert counts(report, "scanned", *OUTCOMES) == {
        "scanned": 160, "match": 128, "match_untrusted": 0, "no_match": 16, "error": 16,
        "unexpected_index": 0, "skipped_unresolvable": 0, "deferred": 0,
    }  # fmt: skip
    assert counts(report, "upserts", "match_without_artwork", "batches") == {
        "upserts": 112, "match_without_artwork": 16, "batches": 32,
    }  # fmt: skip
    albums.assert_adds_up(report)
    assert (report.verdict, report.reason) == ("done", "")
    assert failed_checks(report) == {"error_rate_healthy"}  # 10 % of errors is only a WARN
    assert sorted(albums.credited) == list(range(16))
    assert albums.rows("SELECT asset, origin, verdict, reason FROM wxyc_assets.run") == [
        ("album_metadata", "explicit", "done", None)
    ]
    assert albums.rows("SELECT DISTINCT complete FROM wxyc_assets.tally") == [(True,)]


def test_run_does_not_change_the_flowsheet(albums):
    before = albums.rows("SELECT f::text FROM flowsheet f ORDER BY id")
    with serve_lookups(all_match) as lml:
        albums.run(lml.url)
    assert albums.rows("SELECT f::text FROM flowsheet f ORDER BY id") == before


def test_refused_rows_are_quarantined_and_the_run_continues(albums):
    def with_unstorable_fields(items):
        answers = all_match(items)
        for answer, item in zip(answers, items, strict=True):
            fields = answer["lookup"]["results"][0]["artwork"]
            if album_id_of(item) % 40 == 3:
                fields["bandcamp_url"] = "https://x.example/" + "x" * 600
            if album_id_of(item) % 40 == 4:
                fields["release_year"] = 70_000
            if album_id_of(item) % 40 == 5:
                fields["artist_bio"] = "NUL \0"
        return answers

    with serve_lookups(with_unstorable_fields) as lml:
        report = albums.run(lml.url)
    assert counts(report, "match", "upserts", "writer_error") == {"match": 160, "upserts": 148, "writer_error": 12}
    assert len(albums.metadata()) == 148
    assert len(albums.rows("SELECT FROM wxyc_assets.quarantine WHERE kind = 'writer_error'")) == 12
    assert failed_checks(report) == {"writer_errors_zero"}
    assert report.verdict == "anomaly"
    assert {line["album_id"] % 40 for line in albums.steps("writer_error")} == {3, 4, 5}
    albums.assert_adds_up(report)


def test_analyze_follows_only_a_run_that_wrote_rows(albums):
    def analyzed():
        return albums.rows("SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'album_metadata'")[0][0]

    with serve_lookups(lambda items: [no_match(place) for place in range(len(items))]) as lml:
        albums.run(lml.url, shards=[3])
        assert (analyzed(), albums.steps("analyze_started")) == (0, [])
        lml.say = all_match
        albums.run(lml.url, shards=[4])
    assert len(albums.steps("analyze_started")) == 1
    assert wait_for(analyzed, "count of one ANALYZE") == 1  # PostgreSQL 14 counts in another process


def test_dry_run_makes_no_call_and_reports_calls_and_budget(albums):
    """It writes nothing, waits for no lock, and its counts are those of the run that follows."""
    albums.execute("UPDATE library SET discogs_unavailable = true WHERE id = 3")
    albums.execute(
        "INSERT INTO wxyc_assets.album_no_match SELECT l.id, a.artist_name, l.album_title, now(), 'r' "
        "FROM library l JOIN artists a ON a.id = l.artist_id WHERE l.id IN (4, 5)"
    )
    albums.execute("UPDATE wxyc_assets.budget SET tat = now() + interval '600 s'")
    before = albums.everything()
    with serve_lookups(all_match) as lml, advisory_locks.run_locks(albums.postgres, "the-other-run") as locks:
        locks.take([advisory_locks.unit("album_metadata", shard) for shard in range(16)])
        dry = albums.run(lml.url, dry_run=True, discogs_rate=DiscogsRate(30, 1))
        assert lml.asked == []
    assert albums.everything() == before
    assert (dry.verdict, albums.credited) == ("done", [])
    assert dry.counters == Counters(scanned=160, would_ask=157, skipped_unresolvable=1, deferred=2, batches=32)
    assert [finding.name for finding in dry.findings if finding.passed] == ["accounting_holds"]
    report = dict(dry.dry_run_report)
    assert report.pop("budget_backlog_s") == pytest.approx(600, abs=60)
    assert report == {
        "scanned": 160, "batches": 32, "calls": 32, "would_ask": 157, "would_skip_unresolvable": 1, "would_defer": 2,
        "discogs_calls": 157, "budget_ours_s": 314,
    }  # fmt: skip
    assert [line["step"] for line in albums.lines] == ["started", "enumerated", "dry_run_plan", "finished"]
    (planned,) = albums.steps("dry_run_plan")
    assert (planned["batches"], planned["batch_size"]) == (32, 5)
    assert planned["budget_done_at"] > planned["timestamp"]
    assert albums.steps("finished")[0]["match"] == 0
    albums.execute("UPDATE wxyc_assets.budget SET tat = now()")
    with serve_lookups(all_match) as lml:
        real = albums.run(lml.url)
    assert (real.counters.batches, real.counters.match) == (dry.counters.batches, 157)
    assert real.counters.totals().keys() == dry.counters.totals().keys()
