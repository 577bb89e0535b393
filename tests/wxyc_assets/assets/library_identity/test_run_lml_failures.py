"""Runs whose LML answers wrongly, fails or is down: what is counted, and what the next run makes up for."""

import json
import time

import pytest

from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.library_identity.fake_lml import all_single_artists, serve_verdicts
from tests.wxyc_assets.assets.library_identity.harness import without_calls
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.faults import Fault

RESOLVE = "bulk-resolve-libraries"


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
def test_damaged_answer_affects_only_the_damaged_libraries(library, sandbox, kind, expected):
    """The next run asks about them again, and leaves the rows that an undamaged run leaves."""
    undamaged = library.run(sandbox.url, dry_run=True)
    sandbox.faults.arm(Fault(endpoint=RESOLVE, kind=kind, count=3))
    report = library.run(sandbox.url)
    counts = report.counters.stored()
    assert {name: counts[name] for name in expected} == expected
    lost = sum(count for name, count in expected.items() if name != "answers_untrusted")
    good = report.counters.resolved + report.counters.unresolved + report.counters.compilation
    assert (report.counters.scanned, good) == (400, 400 - lost)
    assert report.verdict == ("anomaly" if expected else "done")
    untrusted = {"answers_trusted"} & failed_checks(report)
    assert bool(untrusted) == bool(expected.keys() & {"answers_untrusted", "lml_cardinality_mismatch"})
    assert library.tallied(report.request.run_id) == counts
    again = library.run(sandbox.url)
    assert again.verdict == "done", again.reason
    assert again.counters.scanned == lost
    assert len(library.rows("SELECT FROM library_identity")) == undamaged.counters.resolved


@pytest.mark.parametrize(
    "junk", ["[" * 1000 + "]" * 1000, '"' + "x" * 100_000 + '"', "1e400", "NaN", '"\\ud800"'], ids=len
)
def test_junk_in_an_answer_affects_no_other_library(library, junk):
    """The junk is as deep or as long as the client's parser accepts."""

    def with_junk(inputs):
        good = json.dumps(all_single_artists(inputs)[1:])[1:]
        return f'{{"results": [{junk}, {{"library_id": {junk}, "kind": {junk}}}, {good}}}'.encode()

    with serve_verdicts(with_junk) as lml:
        report = library.run(lml.url, shards=[0])
    assert without_calls(report) == Counters(
        scanned=25,
        resolved=24,
        lml_untrusted_library_id=1,
        answers_untrusted=2,
        source_rows_skipped_null_confidence=24,
    )
    assert len(library.rows("SELECT FROM wxyc_assets.quarantine")) == 1
    assert max(len(line) for line in library.log_text.splitlines()) < 2000


@pytest.mark.parametrize(
    "fault",
    [
        Fault(endpoint=RESOLVE, kind="status", status=500),
        Fault(endpoint=RESOLVE, kind="broken_json"),
        Fault(endpoint=RESOLVE, kind="disconnect"),
        Fault(endpoint=RESOLVE, kind="rate_limited", retry_after_s=0),
        Fault(endpoint=RESOLVE, kind="hang"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_failed_batch_is_lost_alone_and_the_next_run_repeats_it(library, sandbox, fault):
    with library.postgres.connect() as connection:
        generate_libraries(connection, 16, first_id=2001)
    sandbox.faults.arm(fault)
    client = {"attempts": 1, "timeouts_s": {"bulk_resolve_libraries": 3 if fault.kind == "hang" else 20}}
    report = library.run(sandbox.url, client=client)
    assert report.counters.lml_error == 26
    assert report.counters.scanned == report.counters.accounted == 416
    assert report.verdict == "anomaly"
    assert "LML" in report.reason
    assert len(library.credited) == 15
    (line,) = library.steps("lml_error")
    assert line["batch_size"] == 26
    assert len(library.steps("batch_done")) == 15
    assert library.run(sandbox.url).counters.scanned == 26


def test_run_waits_out_a_429_and_loses_no_library(library, sandbox):
    sandbox.faults.arm(Fault(endpoint=RESOLVE, kind="rate_limited", retry_after_s=1))
    before = time.monotonic()
    report = library.run(sandbox.url)
    assert report.verdict == "done", report.reason
    assert report.counters.lml_total_calls == 17
    assert time.monotonic() - before > 1


def test_run_fails_if_lml_is_down_and_still_counts_every_page(library):
    """Once the breaker is open, the run makes no more calls."""
    with serve_verdicts(lambda _inputs: (500, {})) as lml:
        report = library.run(lml.url, client={"attempts": 1, "breaker_threshold": 3, "max_in_flight": 1})
    assert report.verdict == "failed"
    assert "400" in report.reason
    assert without_calls(report) == Counters(scanned=400, lml_error=400)
    assert len(lml.asked) == report.counters.lml_total_calls == 3
    assert library.credited == []
    assert library.rows("SELECT FROM library WHERE unresolved_attempted_at IS NOT NULL") == []
    assert library.rows("SELECT FROM wxyc_assets.quarantine") == []
    assert [line["step"] for line in library.lines[-2:]] == ["finished", "failed"]
    assert library.steps("finished")[0]["rows_skipped"]["lml_error"] == 400
    assert library.steps("failed")[0]["level"] == "error"
    assert library.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]


def test_run_fails_if_no_lml_listens(library):
    report = library.run("http://127.0.0.1:9", client={"attempts": 1})
    assert (report.verdict, report.counters.lml_error) == ("failed", 400)


def test_refused_key_is_sent_once(library):
    with serve_verdicts(lambda _inputs: (401, {})) as lml:
        report = library.run(lml.url, client={"max_in_flight": 1})
    assert (report.verdict, report.counters.lml_error, len(lml.asked)) == ("failed", 400, 1)


def test_dry_run_that_lost_a_batch_is_an_anomaly(library, sandbox):
    sandbox.faults.arm(Fault(endpoint=RESOLVE, kind="status", status=500))
    report = library.run(sandbox.url, dry_run=True, client={"attempts": 1})
    assert report.verdict == "anomaly"
    assert report.counters.dry_run_report()["would_skip"]["lml_error"] == 25
