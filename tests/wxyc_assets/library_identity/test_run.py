"""A whole run, over real HTTP into a real database: what it writes, counts, says and leaves behind, whatever happens."""

import json
import random
import signal
import threading
import time
import uuid
from collections import Counter
from dataclasses import replace
from functools import partial

import psycopg
import pytest

from resources.lml.models import BulkResolveAnswer
from resources.postgres import Postgres
from tests.libraries import add_library
from tests.sentry_watch import watched_sentry
from tests.station_runs import Told, child, interrupt_while_lml_hangs
from tests.wxyc_assets.library_identity.arbitrary_lml import all_single, compilation, ids, serving, single, unresolved
from tests.wxyc_assets.library_identity.runs import Runs, request
from wxyc_assets import single_flight
from wxyc_assets.library_identity import run as run_module
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.drain import Drain
from wxyc_assets.library_identity.run import run
from wxyc_assets.revision import MigrationError
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.faults import Fault

RESOLVE = "bulk-resolve-libraries"
A_RUN = "tests.wxyc_assets.library_identity.a_run"


def mixed(inputs):
    """One of ten libraries is unresolved, one a compilation, the others are single artists."""
    kinds = {0: unresolved, 1: compilation}
    return [kinds.get(one["library_id"] % 10, single)(one["library_id"]) for one in inputs]


def failed(report):
    return {finding.name for finding in report.findings if not finding.passed}


def quiet(report):
    """Counters without what depends on how long things took."""
    return Counters(**{**report.counters.stored(), "lml_total_calls": 0, "lml_total_latency_ms": 0})


# What a run writes and counts


def test_a_run_asks_about_every_library_once_and_writes_what_lml_said(shelves):
    with serving(mixed) as lml:
        report = shelves.run(lml.url)
    assert sorted(ids(lml)) == list(range(1, 401))
    assert report.verdict == "done"
    assert (report.reason, failed(report)) == ("", set())
    assert report.counters.totals()["rows_skipped"]["compilation"] == 40
    assert quiet(report) == Counters(
        scanned=400, resolved=320, unresolved=40, compilation=40, source_rows_skipped_null_confidence=320
    )
    assert sorted(shelves.credited) == list(range(16))
    assert shelves.rows("SELECT library_id, wikidata_qid FROM library_identity ORDER BY 1") == [
        (one, f"Q{one}") for one in range(1, 401) if one % 10 > 1
    ]
    assert shelves.rows("SELECT id FROM library WHERE unresolved_attempted_at IS NOT NULL ORDER BY 1") == [
        (one,) for one in range(1, 401) if one % 10 <= 1
    ]
    assert shelves.tallied(report.request.run_id) == report.counters.stored()
    assert shelves.rows("SELECT DISTINCT complete FROM wxyc_assets.tally") == [(True,)]
    assert shelves.rows("SELECT asset, origin, verdict, reason, ended_at >= started_at FROM wxyc_assets.run") == [
        ("library_identity", "explicit", "done", None, True)
    ]


def test_a_second_run_finds_nothing_to_ask_and_is_credited_all_the_same(shelves):
    with serving(mixed) as lml:
        shelves.run(lml.url)
        lml.asked.clear()
        again = shelves.run(lml.url)
    assert lml.asked == []
    assert again.verdict == "done"
    assert again.counters == Counters()
    assert Counter(shelves.credited) == dict.fromkeys(range(16), 2)


def test_only_the_shards_of_the_request_are_touched(shelves):
    with serving(all_single) as lml:
        shelves.run(lml.url, shards=[5, 3])
    assert {one % 16 for one in ids(lml)} == {3, 5}
    assert sorted(shelves.credited) == [3, 5]


def test_recheck_asks_exactly_those_with_a_marker_and_include_null_canonical_those_without_an_entity(runs):
    with runs.postgres.connect() as connection:
        generate_libraries(connection, 160, first_id=1, canonical_share=0.5, marker_share=0.3)
    marked = {row[0] for row in runs.rows("SELECT id FROM library WHERE unresolved_attempted_at IS NOT NULL")}
    canonical = {row[0] for row in runs.rows("SELECT id FROM library WHERE canonical_entity_id IS NOT NULL")}
    everything = set(range(1, 161))
    with serving(lambda inputs: [unresolved(one["library_id"]) for one in inputs]) as lml:
        for flags, expected in (
            ({"dry_run": True}, canonical - marked),
            ({"dry_run": True, "include_null_canonical": True}, everything - marked),
            ({"recheck": True}, marked),
            ({"include_null_canonical": True}, everything - marked),
        ):
            lml.asked.clear()
            report = runs.run(lml.url, **flags)
            assert set(ids(lml)) == expected
            assert len(ids(lml)) == len(expected)
            assert report.verdict == "done", report.reason


def test_libraries_that_come_while_a_run_goes_on_are_the_next_runs(shelves):
    def add_one_more(inputs):
        if len(lml.asked) == 1:
            with shelves.postgres.connect() as connection:
                add_library(connection, 5000)
                add_library(connection, 5001)
        return all_single(inputs)

    with serving(add_one_more) as lml:
        report = shelves.run(lml.url)
        assert report.verdict == "done", report.reason
        assert report.counters.scanned == 400
        assert shelves.run(lml.url).counters.scanned == 2


# Faults of LML


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("short", {"lml_cardinality_mismatch": 3}),
        ("long", {"answers_untrusted": 3}),
        ("shifted", {}),
        ("swapped", {}),
        ("duplicated", {"answers_untrusted": 3, "lml_untrusted_library_id": 3}),
        ("foreign", {"answers_untrusted": 3, "lml_untrusted_library_id": 3}),
        ("null_item", {"answers_untrusted": 3, "lml_untrusted_library_id": 3}),
        ("non_integer_index", {"answers_untrusted": 3, "lml_untrusted_library_id": 3}),
        ("bad_confidence", {"contract_violation": 3}),
        ("unknown_kind", {"contract_violation": 3}),
    ],
)
def test_a_damaged_answer_costs_the_damaged_libraries_and_nobody_else(shelves, sandbox, kind, expected):
    undamaged = shelves.run(sandbox.url, dry_run=True)
    sandbox.faults.arm(Fault(endpoint=RESOLVE, kind=kind, count=3))
    report = shelves.run(sandbox.url)
    counts = report.counters.stored()
    assert {name: counts[name] for name in expected} == expected
    lost = sum(count for name, count in expected.items() if name != "answers_untrusted")
    good = report.counters.resolved + report.counters.unresolved + report.counters.compilation
    assert (report.counters.scanned, good) == (400, 400 - lost)
    assert report.verdict == ("anomaly" if expected else "done")
    untrusted = {"answers_trusted"} & failed(report)
    assert bool(untrusted) == bool(expected.keys() & {"answers_untrusted", "lml_cardinality_mismatch"})
    assert shelves.tallied(report.request.run_id) == counts
    # The next run asks again, and what it leaves is what an undamaged run would have.
    again = shelves.run(sandbox.url)
    assert again.verdict == "done", again.reason
    assert again.counters.scanned == lost
    assert len(shelves.rows("SELECT FROM library_identity")) == undamaged.counters.resolved


@pytest.mark.parametrize(
    "junk", ["[" * 1000 + "]" * 1000, '"' + "x" * 100_000 + '"', "1e400", "NaN", '"\\ud800"'], ids=len
)
def test_junk_as_deep_or_long_as_the_wire_lets_through_costs_nobody_else(shelves, junk):
    def with_junk(inputs):
        good = json.dumps(all_single(inputs)[1:])[1:]
        return f'{{"results": [{junk}, {{"library_id": {junk}, "kind": {junk}}}, {good}}}'.encode()

    with serving(with_junk) as lml:
        report = shelves.run(lml.url, shards=[0])
    assert quiet(report) == Counters(
        scanned=25,
        resolved=24,
        lml_untrusted_library_id=1,
        answers_untrusted=2,
        source_rows_skipped_null_confidence=24,
    )
    assert len(shelves.rows("SELECT FROM wxyc_assets.quarantine")) == 1
    assert max(len(line) for line in shelves.stream.getvalue().splitlines()) < 2000


@pytest.mark.parametrize(
    "fault",
    [
        Fault(endpoint=RESOLVE, kind="status", status=500),
        Fault(endpoint=RESOLVE, kind="broken_json"),
        Fault(endpoint=RESOLVE, kind="disconnect"),
        Fault(endpoint=RESOLVE, kind="rate_limited", retry_after_s=0),
        Fault(endpoint=RESOLVE, kind="status", status=422),
        Fault(endpoint=RESOLVE, kind="hang"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_batch_that_lml_failed_for_good_is_lost_alone_and_made_up_for_by_the_next_run(shelves, sandbox, fault):
    with shelves.postgres.connect() as connection:
        generate_libraries(connection, 16, first_id=2001)
    sandbox.faults.arm(fault)
    client = {"attempts": 1, "timeouts_s": {"bulk_resolve_libraries": 0.5 if fault.kind == "hang" else 20}}
    report = shelves.run(sandbox.url, client=client)
    assert report.counters.lml_error == 26
    assert report.counters.scanned == report.counters.accounted == 416
    assert report.verdict == "anomaly"
    assert "LML" in report.reason
    assert len(shelves.credited) == 15
    (line,) = shelves.steps("lml_error")
    assert line["batch_size"] == 26
    assert len(shelves.steps("batch_done")) == 15
    assert shelves.run(sandbox.url).counters.scanned == 26


def test_a_429_is_waited_out_and_costs_nobody_anything(shelves, sandbox):
    sandbox.faults.arm(Fault(endpoint=RESOLVE, kind="rate_limited", retry_after_s=1))
    before = time.monotonic()
    report = shelves.run(sandbox.url)
    assert report.verdict == "done", report.reason
    assert report.counters.lml_total_calls == 17
    assert time.monotonic() - before > 1


def test_an_lml_that_is_down_for_all_of_it_fails_the_run_which_walks_every_page_without_calls(shelves):
    with serving(lambda _inputs: (500, {})) as lml:
        report = shelves.run(lml.url, client={"attempts": 1, "breaker_threshold": 3, "max_in_flight": 1})
    assert report.verdict == "failed"
    assert "400" in report.reason
    assert quiet(report) == Counters(scanned=400, lml_error=400)
    assert len(lml.asked) == report.counters.lml_total_calls == 3
    assert shelves.credited == []
    assert shelves.rows("SELECT FROM library WHERE unresolved_attempted_at IS NOT NULL") == []
    assert shelves.rows("SELECT FROM wxyc_assets.quarantine") == []
    assert [line["step"] for line in shelves.lines[-2:]] == ["finished", "failed"]
    assert shelves.steps("finished")[0]["rows_skipped"]["lml_error"] == 400
    assert shelves.steps("failed")[0]["level"] == "error"
    assert shelves.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]


def test_an_lml_that_nobody_listens_for_fails_the_run_too(shelves):
    report = shelves.run("http://127.0.0.1:9", client={"attempts": 1})
    assert (report.verdict, report.counters.lml_error) == ("failed", 400)


def test_a_refused_key_is_not_tried_again_for_every_batch(shelves):
    with serving(lambda _inputs: (401, {})) as lml:
        report = shelves.run(lml.url, client={"max_in_flight": 1})
    assert (report.verdict, report.counters.lml_error, len(lml.asked)) == ("failed", 400, 1)


def test_a_dry_run_that_lost_batches_says_so(shelves, sandbox):
    sandbox.faults.arm(Fault(endpoint=RESOLVE, kind="status", status=422))
    report = shelves.run(sandbox.url, dry_run=True)
    assert report.verdict == "anomaly"
    assert report.counters.dry_run_report()["would_skip"]["lml_error"] == 25


# Faults of the database


def test_a_database_that_dies_in_mid_run_fails_the_run_and_loses_nothing_that_was_committed(shelves):
    def kill_after_five(inputs):
        if len(lml.asked) == 12:
            while len(shelves.steps("batch_done")) < 5:
                time.sleep(0.005)
            shelves.kill_sessions()
        return all_single(inputs)

    run_id = str(uuid.uuid4())
    with serving(kill_after_five) as lml:
        report = shelves.run(lml.url, run_id=run_id)
    assert report.verdict == "failed"
    assert "database" in report.reason
    written = shelves.rows("SELECT library_id FROM library_identity")
    tallied = Counters.from_stored(shelves.tallied(run_id))
    assert 125 <= len(written) < 400
    assert tallied.resolved == tallied.scanned == len(written)
    assert {row[0] for row in shelves.rows("SELECT library_id FROM library_identity_source")} == {
        row[0] for row in written
    }
    credited = {(str(shard),) for shard in shelves.credited}
    assert set(shelves.rows("SELECT partition_key FROM wxyc_assets.tally WHERE complete")) == credited
    assert shelves.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]

    with serving(all_single) as lml:
        again = shelves.run(lml.url)
    assert again.verdict == "done", again.reason
    assert again.counters.resolved == 400 - len(written)


def test_a_page_that_somebody_blocks_for_longer_than_a_statement_may_take_costs_its_shard_only(shelves):
    impatient = Runs(replace(shelves.postgres, statement_timeout_ms=1000))
    with shelves.postgres.connect() as other, other.transaction():
        other.execute("SELECT FROM library WHERE id = 17 FOR UPDATE")
        with serving(all_single) as lml:
            report = impatient.run(lml.url)
    assert report.verdict == "failed"
    assert report.reason.startswith("shard 1: database: QueryCanceled")
    assert sorted(impatient.credited) == [0, *range(2, 16)]
    assert impatient.rows("SELECT FROM wxyc_assets.quarantine") == []


def test_a_run_needs_no_session_at_its_end_that_idled_since_its_beginning(shelves):
    """Firewalls and idle_session_timeout drop what idles through a long run."""

    def drop_idle(inputs):
        shelves.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query ~ '^-- (begin_run|select_beginning|select_revision)'"
        )
        return all_single(inputs)

    with serving(drop_idle) as lml:
        report = shelves.run(lml.url)
    assert report.verdict == "done", report.reason


def test_a_database_without_our_schema_is_refused_before_anything_is_asked(database):
    runs = Runs(Postgres(database))
    with serving(all_single) as lml, pytest.raises(MigrationError, match="wxyc migrate"):
        runs.run(lml.url)
    assert lml.asked == []
    assert [line["step"] for line in runs.lines] == ["init", "failed"]


def test_a_locked_shard_is_refused_by_its_holders_name_and_the_others_are_done(shelves):
    with single_flight.run_locks(shelves.postgres, "the-other-run") as locks:
        assert locks.take([single_flight.unit("library_identity", 4)]) == []
        with serving(all_single) as lml:
            report = shelves.run(lml.url)
    assert report.verdict == "failed"
    assert "the-other-run" in report.reason
    assert "library_identity/4" in report.reason
    assert {one % 16 for one in ids(lml)} == set(range(16)) - {4}
    assert sorted(shelves.credited) == [shard for shard in range(16) if shard != 4]
    assert shelves.tallied(report.request.run_id)["resolved"] == 375


def test_a_run_holds_its_shards_and_its_own_id_until_it_has_ended(shelves):
    held = []

    def look(inputs):
        units = [single_flight.run_unit(run_id), *(single_flight.unit("library_identity", s) for s in range(16))]
        with shelves.postgres.connect() as connection:
            held.append(len(single_flight.held_units(connection, units)))
        return all_single(inputs)

    run_id = str(uuid.uuid4())
    with serving(look) as lml:
        shelves.run(lml.url, run_id=run_id)
    assert set(held) == {17}
    with shelves.postgres.connect() as connection:
        assert single_flight.held_units(connection, [single_flight.run_unit(run_id)]) == set()


# Dry runs


def test_a_dry_run_writes_nothing_anywhere_and_counts_what_a_real_run_then_does(shelves):
    shelves.execute("UPDATE library SET unresolved_attempted_at = now() - interval '40 days' WHERE id % 7 = 0")
    bad = {"source": "discogs", "method": "llm", "confidence": 0.7, "external_id": None}

    def everything(inputs):
        answers = mixed(inputs)
        for answer in answers:
            if answer["library_id"] % 20 == 3:
                answer["provenance"] = [bad]
            if answer["library_id"] % 20 == 5:
                answer["confidence"] = 3
        return [*answers[1:], single(9999)] if inputs[0]["library_id"] % 4 == 0 else answers

    before = shelves.everything()
    with serving(everything) as lml:
        dry = shelves.run(lml.url, dry_run=True)
        assert shelves.everything() == before
        assert shelves.credited == []
        real = shelves.run(lml.url)
    assert quiet(dry) == quiet(real)
    assert dry.counters.contract_violation > 0
    assert dry.counters.lml_untrusted_library_id > 0
    assert dry.counters.source_rows_skipped_invalid == 20
    assert {finding.name for finding in dry.findings} == {
        "accounting_holds",
        "answers_trusted",
        "contract_violations_zero",
    }
    (line,) = shelves.steps("dry_run")
    assert {key: line[key] for key in dry.counters.dry_run_report()} == dry.counters.dry_run_report()
    assert shelves.everything() != before


def test_a_dry_run_takes_no_locks_and_waits_for_none(shelves):
    with single_flight.run_locks(shelves.postgres, "the-other-run") as locks:
        locks.take([single_flight.unit("library_identity", shard) for shard in range(16)])
        with serving(all_single) as lml:
            assert shelves.run(lml.url, dry_run=True).verdict == "done"


# Kills and interruptions


def test_a_run_that_is_killed_anywhere_is_finished_by_the_next_to_the_very_same_rows(server, station_template, shelves):
    def slowly(inputs):
        time.sleep(0.1)
        return mixed(inputs)

    with serving(mixed) as lml:
        shelves.run(lml.url)
    undisturbed = shelves.content()

    dsn = server.create_database(template=str(psycopg.conninfo.conninfo_to_dict(station_template)["dbname"]))
    killed = Runs(Postgres(dsn))
    with killed.postgres.connect() as connection:
        generate_libraries(connection, 400, first_id=1)
    chance = random.Random(7)
    died = 0
    with serving(slowly) as lml:
        for attempt in range(4):
            run_id = f"killed {attempt}"
            with child(A_RUN, killed.postgres.dsn, lml.url, run_id) as process:
                calls = len(lml.asked) + chance.randrange(1, 5)
                while len(lml.asked) < calls and process.poll() is None:
                    time.sleep(0.002)
                time.sleep(chance.random() * 0.2)  # into the asking, or into the writing
                process.kill()
                died += process.wait() == -signal.SIGKILL
            tallied = Counters.from_stored(killed.tallied(run_id))
            assert tallied.scanned == tallied.accounted
        assert died > 1
        assert killed.rows("SELECT count(*) FROM library_identity") == killed.rows(
            "SELECT COALESCE(sum((counters->>'resolved')::int), 0) FROM wxyc_assets.tally"
        )
        # The killed ones' locks died with them: nobody waits.
        report = killed.run(lml.url)
    assert report.verdict == "done", report.reason
    assert killed.content() == undisturbed
    assert killed.rows("SELECT FROM library_identity_history") == []
    server.drop_database(dsn)


def test_an_interrupted_run_ends_within_seconds_while_lml_hangs(shelves):
    with serving(all_single) as lml, child(A_RUN, shelves.postgres.dsn, lml.url, "interrupted") as process:
        assert interrupt_while_lml_hangs(process, lml) < 5
        assert b"KeyboardInterrupt" in process.stderr.read()
    assert shelves.rows("SELECT verdict, reason FROM wxyc_assets.run") == [("failed", "KeyboardInterrupt")]
    with shelves.postgres.connect() as connection:
        assert single_flight.held_units(connection, [single_flight.run_unit("interrupted")]) == set()


def test_an_exception_while_crediting_stops_the_lanes_before_the_locks_are_let_go(shelves):
    def refuse(_done):
        raise ConnectionError("Dagster's storage is gone")

    def slowly(inputs):
        time.sleep(0.05)
        return all_single(inputs)

    with serving(slowly) as lml, shelves.lml(lml.url) as client:
        try:
            run(request(run_id="uncredited"), shelves.tools(client, "uncredited"), refuse)
        except ConnectionError:  # looked at while it is still held, and with it whatever its frames hold
            at_work = [thread for thread in threading.enumerate() if thread.name == "lane"]
        assert at_work == []
        written = len(shelves.rows("SELECT FROM library_identity"))
        assert written < 400
    assert shelves.rows("SELECT verdict, reason FROM wxyc_assets.run") == [
        ("failed", "ConnectionError: Dagster's storage is gone")
    ]
    assert shelves.tallied("uncredited")["resolved"] == written


def test_a_defect_fails_the_run_and_reaches_the_caller(shelves):
    class Broken:
        def bulk_resolve_libraries(self, _inputs):
            return BulkResolveAnswer.model_construct(results=7)

    with pytest.raises(TypeError):
        run(request(), shelves.tools(Broken()), lambda _done: None)
    assert shelves.steps("failed")[0]["level"] == "error"
    assert shelves.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]


# What it tells


def test_log_lines_have_the_contracts_steps_and_fields_in_compact_json(shelves):
    with serving(mixed) as lml:
        report = shelves.run(lml.url, shards=range(2))
    steps = [line["step"] for line in shelves.lines]
    assert steps == ["init", "started", "batch_done", "batch_done", "finished"]
    assert ", " not in shelves.stream.getvalue()
    assert '": ' not in shelves.stream.getvalue()
    base = {
        "repo": "wxyc_assets",
        "tool": "library-identity-consumer",
        "run_id": report.request.run_id,
        "level": "info",
    }
    assert all(base.items() <= line.items() for line in shelves.lines)
    started = shelves.steps("started")[0]
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
    assert totals.items() <= shelves.steps("finished")[0].items()
    assert totals.items() <= shelves.steps("batch_done")[-1].items()
    assert {"batch_index", "last_id"} <= shelves.steps("batch_done")[0].keys()


def test_cumulative_totals_never_shrink_over_both_lanes_and_end_at_the_runs_own(shelves, monkeypatch):
    with shelves.postgres.connect() as connection:
        generate_libraries(connection, 3600)
    monkeypatch.setattr(run_module, "Drain", partial(Drain, page_size=20))
    with serving(mixed) as lml:
        report = shelves.run(lml.url)
    lines = shelves.steps("batch_done")
    scanned = [line["scanned"] for line in lines]
    assert scanned == sorted(scanned)
    assert sorted(line["batch_index"] for line in lines) == list(range(1, len(lines) + 1))
    assert scanned[-1] == report.counters.scanned == 4000


@pytest.fixture
def watched(shelves):
    """The same station, with a Sentry that keeps everything."""
    shelves.sentry, collector = watched_sentry()
    yield shelves, collector
    shelves.sentry.close()


def test_spans_carry_numeric_counters_and_each_call_is_a_child_of_the_run(watched):
    runs, collector = watched
    with serving(mixed) as lml:
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


def test_sentry_hears_of_failed_calls_and_untrusted_answers_under_stable_fingerprints(watched):
    runs, collector = watched

    def damage(inputs):
        return (500, {}) if inputs[0]["library_id"] % 16 == 3 else [single(9999), *all_single(inputs)[2:]]

    with serving(damage) as lml:
        runs.run(lml.url, shards=[3, 4], client={"attempts": 1})
    runs.sentry.flush()
    events = {event["tags"]["step"]: event for event in collector.events}
    assert {step: event["fingerprint"] for step, event in events.items()} == {
        "lml_error": ["library_identity", "lml_error", "LmlServerError"],
        "lml_cardinality_mismatch": ["library_identity", "lml_cardinality_mismatch"],
        "lml_untrusted_library_id": ["library_identity", "lml_untrusted_library_id"],
    }
    assert events["lml_error"]["extra"]["batch_size"] == 25


def test_calls_that_the_breaker_refused_do_not_flood_sentry(watched):
    runs, collector = watched
    with serving(lambda _inputs: (500, {})) as lml:
        runs.run(lml.url, client={"attempts": 1, "breaker_threshold": 2, "max_in_flight": 1})
    runs.sentry.flush()
    assert len(collector.events) == 2


def test_progress_is_told_the_total_beforehand_and_every_input_as_it_is_done(shelves):
    shelves.progress = bar = Told()
    with serving(mixed) as lml:
        shelves.run(lml.url)
    assert bar.told[0] == ("library_identity", 400, "libraries")
    assert sum(bar.told[1:-1]) == 400
    assert bar.told[-1] == "finish"


def test_a_risen_unresolved_rate_warns_and_leaves_the_run_done(shelves):
    with shelves.postgres.connect() as connection:
        generate_libraries(connection, 1600)
    with serving(all_single) as lml:
        shelves.run(lml.url, shards=range(8))
    shelves.execute("UPDATE library_identity SET last_verified_at = now() - interval '8 days'")
    with serving(lambda inputs: [unresolved(one["library_id"]) for one in inputs]) as lml:
        report = shelves.run(lml.url, shards=range(8))
        assert (report.verdict, failed(report)) == ("done", {"unresolved_rate_usual"})
        # A recheck asks only what LML did not know: that it mostly still does not is no news.
        assert failed(shelves.run(lml.url, shards=range(8), recheck=True)) == set()


def test_a_dry_run_shows_that_it_lives_and_keeps_nobody_from_a_shard(shelves):
    held = []

    def asked(inputs):
        with shelves.postgres.connect() as connection:
            units = ["run/dry", *(single_flight.unit("library_identity", shard) for shard in range(16))]
            held.append(single_flight.held_units(connection, units))
        return mixed(inputs)

    with serving(asked) as lml:
        shelves.run(lml.url, dry_run=True, run_id="dry")
    assert held
    assert all(units == {"run/dry"} for units in held)
