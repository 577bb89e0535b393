"""What a run reports while it works: log lines, spans and events in Sentry, and progress."""

from functools import partial

import pytest

from tests.run_harness import RecordedProgress
from tests.sentry_watch import watched_sentry
from tests.wxyc_assets.assets.library_identity.fake_lml import all_single_artists, mixed, serve_verdicts, single_artist
from wxyc_assets.assets.library_identity import run as run_module
from wxyc_assets.assets.library_identity.drain import Drain
from wxyc_assets.sandbox.generator import generate_libraries


def test_log_lines_have_the_contracts_steps_and_fields(library):
    with serve_verdicts(mixed) as lml:
        report = library.run(lml.url, shards=range(2))
    steps = [line["step"] for line in library.lines]
    assert steps == ["init", "started", "batch_done", "batch_done", "finished"]
    assert ", " not in library.log_text
    assert '": ' not in library.log_text
    base = {
        "repo": "wxyc_assets",
        "tool": "library-identity-consumer",
        "run_id": report.request.run_id,
        "level": "info",
    }
    assert all(base.items() <= line.items() for line in library.lines)
    started = library.steps("started")[0]
    contract = {
        "batch_size": 500,
        "throttle_ms": 0,
        "stale_days": 7,
        "include_null_canonical": False,
        "unresolved_retry_days": 30,
        "partition": "0,1/16",
        "cohort": "none",
        "recheck": False,
        "dry_run": False,
    }
    assert contract.items() <= started.items()
    totals = report.counters.totals()
    assert totals.items() <= library.steps("finished")[0].items()
    assert totals.items() <= library.steps("batch_done")[-1].items()
    assert {"batch_index", "last_id"} <= library.steps("batch_done")[0].keys()


def test_cumulative_totals_never_shrink_over_both_lanes(library, monkeypatch):
    with library.postgres.connect() as connection:
        generate_libraries(connection, 3600)
    monkeypatch.setattr(run_module, "Drain", partial(Drain, page_size=20))
    with serve_verdicts(mixed) as lml:
        report = library.run(lml.url)
    lines = library.steps("batch_done")
    scanned = [line["scanned"] for line in lines]
    assert scanned == sorted(scanned)
    assert sorted(line["batch_index"] for line in lines) == list(range(1, len(lines) + 1))
    assert scanned[-1] == report.counters.scanned == 4000


@pytest.fixture
def watched(library):
    """The library, and a collector of everything that its runs send to Sentry."""
    library.sentry, collector = watched_sentry()
    yield library, collector
    library.sentry.close()


def test_run_span_has_counters_and_each_call_is_its_child(watched):
    runs, collector = watched
    with serve_verdicts(mixed) as lml:
        report = runs.run(lml.url)
    runs.sentry.flush()
    spans = collector.spans
    (parent,) = (span for span in spans if span["name"] == "library-identity-consumer.run")
    calls = [span for span in spans if span["name"] == "lml.bulk_resolve_libraries"]
    assert parent["attributes"]["sentry.op"]["value"] == "job.run"
    for name, number in (
        ("consumer.scanned", 400),
        ("consumer.rows_resolved", 320),
        ("consumer.rows_skipped.compilation", 40),
        ("consumer.rows_skipped.lml_error", 0),
        ("consumer.lml_total_calls", report.counters.lml_total_calls),
    ):
        assert parent["attributes"][name] == {"value": number, "type": "integer"}
    assert len(calls) == 16
    assert {call["parent_span_id"] for call in calls} == {parent["span_id"]}
    assert {call["trace_id"] for call in calls} == {parent["trace_id"]}
    assert {call["attributes"]["sentry.op"]["value"] for call in calls} == {"http.client"}
    assert {call["attributes"]["lml.batch_size"]["value"] for call in calls} == {25}
    assert calls[0]["attributes"]["lml.cache.pg_hits"] == {"value": 2, "type": "integer"}


def test_lml_faults_reach_sentry_with_stable_fingerprints(watched):
    runs, collector = watched

    def damage(inputs):
        if inputs[0]["library_id"] % 16 == 3:
            return 500, {}
        return [single_artist(9999), *all_single_artists(inputs)[2:]]

    with serve_verdicts(damage) as lml:
        runs.run(lml.url, shards=[3, 4], client={"attempts": 1})
    runs.sentry.flush()
    events = {event["tags"]["step"]: event for event in collector.events}
    assert {step: event["fingerprint"] for step, event in events.items()} == {
        "lml_error": ["library_identity", "lml_error", "LmlServerError"],
        "lml_cardinality_mismatch": ["library_identity", "lml_cardinality_mismatch"],
        "lml_untrusted_library_id": ["library_identity", "lml_untrusted_library_id"],
    }
    assert events["lml_error"]["extra"]["batch_size"] == 25


def test_calls_refused_by_the_breaker_are_not_sent_to_sentry(watched):
    runs, collector = watched
    with serve_verdicts(lambda _inputs: (500, {})) as lml:
        runs.run(lml.url, client={"attempts": 1, "breaker_threshold": 2, "max_in_flight": 1})
    runs.sentry.flush()
    assert len(collector.events) == 2


def test_progress_shows_the_total_and_each_page(library):
    library.progress = recorded = RecordedProgress()
    with serve_verdicts(mixed) as lml:
        library.run(lml.url)
    assert recorded.calls[0] == ("library_identity", 400, "libraries")
    assert sum(recorded.calls[1:-1]) == 400
    assert recorded.calls[-1] == "finish"
