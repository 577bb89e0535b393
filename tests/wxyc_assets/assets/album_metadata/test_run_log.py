"""What a run reports while it works: log lines, spans and events in Sentry, and progress."""

from tests.run_harness import RecordedProgress, failed_checks
from tests.sentry_watch import watched_sentry
from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, all_match, match, mixed, serve_lookups
from wxyc_assets.runs.discogs_rate import DiscogsRate


def test_log_lines_have_the_contracts_steps_and_fields(albums):
    with serve_lookups(mixed) as lml:
        report = albums.run(lml.url, shards=range(2), discogs_rate=DiscogsRate(30, 1), per_minute=1e9)
    steps = [line["step"] for line in albums.lines]
    assert steps[:2] == ["started", "enumerated"]
    assert steps[-2:] == ["analyze_started", "finished"]
    assert steps.count("batch_done") == 4
    assert ", " not in albums.log_text
    assert '": ' not in albums.log_text
    base = {"repo": "wxyc_assets", "tool": "album-level-backfill", "run_id": report.request.run_id}
    assert all(base.items() <= line.items() for line in albums.lines)
    contract = {"batch_size": 5, "rate_per_min": 30, "budget_ms": 25000, "dry_run": False}
    assert contract.items() <= albums.steps("started")[0].items()
    assert albums.steps("enumerated")[0]["scanned"] == 20
    batches = albums.steps("batch_done")
    assert [line["batch_index"] for line in batches] == [1, 2, 3, 4]
    for line in batches:
        assert line.keys() == albums.steps("started")[0].keys() - contract.keys() | {
            *("batch_index", "batches", "scanned", "match", "no_match", "lml_error", "upserts", "unexpected_index"),
            "wall_clock_ms",
        }
        assert (line["batches"], line["scanned"]) == (4, 5)
        assert line["match"] + line["no_match"] + line["lml_error"] == 5
        assert line["wall_clock_ms"] > 0
    assert report.counters.totals().items() <= albums.steps("finished")[0].items()
    assert {"album_id", "error_message"} <= albums.steps("lml_error")[0].keys()


def test_each_mismatch_is_logged_and_each_batch_sent_to_sentry(albums):
    """A batch sends one breadcrumb and one message, however many mismatches it has."""
    albums.sentry, collector = watched_sentry()

    def rotated(items):
        answers = all_match(items)
        return [*answers[1:], answers[0]] if album_id_of(items[0]) % 16 == 3 else answers

    with serve_lookups(rotated) as lml:
        report = albums.run(lml.url, shards=[3, 4])
    albums.sentry.flush()
    assert report.counters.unexpected_index == 10
    lines = albums.steps("unexpected_result_index")
    assert {line["level"] for line in lines} == {"warn"}
    assert [(line["expected_index"], line["got_index"]) for line in lines] == [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
        (4, 0),
    ] * 2
    assert [line["album_id"] for line in lines] == list(range(3, 160, 16))
    batches = [one for one in collector.events if one["message"] == "album-level-backfill.unexpected_index"]
    assert [one["extra"]["batch_first_id"] for one in batches] == [3, 83]
    for one in batches:
        assert one["level"] == "warning"
        assert one["fingerprint"] == ["album-level-backfill", "unexpected_index"]
        assert one["tags"]["source"] == "album-level-backfill"
        assert (one["extra"]["unexpected_index"], one["extra"]["scanned"]) == (5, 5)
    crumbs = batches[-1]["breadcrumbs"]["values"]
    assert [(crumb["category"], crumb["message"]) for crumb in crumbs] == [
        ("album-level-backfill", "unexpected_result_index")
    ] * 2
    assert [crumb["data"] for crumb in crumbs] == [
        {"mismatch_count": 5, "first_mismatch_index": 0, "first_mismatch_got": 1, "first_mismatch_album_id": first}
        for first in (3, 83)
    ]
    albums.sentry.close()


def test_mismatches_of_the_last_day_are_logged_once_a_run(albums):
    """The line names the first mismatch, until that is a day old."""
    with serve_lookups(lambda items: [match(place + 1) for place in range(len(items))]) as lml:
        first = albums.run(lml.url, shards=[3])
        lml.say = all_match
        again = albums.run(lml.url, shards=[3, 4])
        albums.execute("UPDATE wxyc_assets.tally SET updated_at = updated_at - interval '24 hours'")
        later = albums.run(lml.url, shards=[3])
    last_day = {"unexpected_index_24h_is_zero"}
    assert failed_checks(first) == last_day | {"unexpected_index_is_zero"}
    assert (failed_checks(again), again.verdict) == (last_day, "done")  # it only alerts
    assert (failed_checks(later), later.verdict) == (set(), "done")
    lines = albums.steps("unexpected_index_24h")
    assert [line["unexpected_index_24h"] for line in lines] == [10, 10]
    assert {(line["first_mismatch_album_id"], line["first_run_id"]) for line in lines} == {(3, first.request.run_id)}
    assert lines[0]["first_mismatch"] == "position 0: index 1 in its place"


def test_only_calls_that_were_made_are_sent_to_sentry(albums):
    albums.sentry, collector = watched_sentry()
    with serve_lookups(lambda _items: (500, {})) as lml:
        albums.run(lml.url, client={"breaker_threshold": 2}, discogs_rate=DiscogsRate(30, 1))
        lml.say = lambda _items: (401, {})
        albums.run(lml.url, discogs_rate=DiscogsRate(30, 1))
    albums.sentry.flush()
    assert [event["fingerprint"] for event in collector.events] == [
        ["album-level-backfill", "lml_batch_failed", "LmlServerError"],
        ["album-level-backfill", "lml_batch_failed", "LmlServerError"],
        ["album-level-backfill", "lml_batch_failed", "LmlAuthError"],
    ]
    albums.sentry.close()


def test_each_call_is_a_span_with_the_contracts_attributes(albums):
    albums.sentry, collector = watched_sentry()
    with serve_lookups(all_match) as lml:
        albums.run(lml.url, shards=[3])
    albums.sentry.flush()
    spans = collector.spans
    assert [span["name"] for span in spans] == ["lml.lookup.bulk"] * 2
    for span in spans:
        said = {name: one["value"] for name, one in span["attributes"].items()}
        assert (said["sentry.op"], said["lml.bulk.size"], said["lml.caller"]) == (
            "http.client", 5, "album-level-backfill",
        )  # fmt: skip
        assert said["lml.cache.pg_hits"] == 2
    albums.sentry.close()


def test_progress_shows_the_total_and_each_batch(albums):
    albums.progress = recorded = RecordedProgress()
    with serve_lookups(mixed) as lml:
        albums.run(lml.url)
    assert recorded.calls[0] == ("album_metadata", 160, "albums")
    assert sum(recorded.calls[1:-1]) == 160
    assert recorded.calls[-1] == "finish"
