"""Runs against an LML that fails, or whose answers are incomplete or malformed."""

import pytest

from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.rotation_cache.fake_lml import all_warmed, mixed, serve_refreshes, warmed, with_status
from tests.wxyc_assets.assets.rotation_cache.harness import counts, today, totals
from wxyc_assets.assets.rotation_cache.plan import Batching
from wxyc_assets.sandbox.lml.faults import Fault

REFRESH = "refresh-for-identities"


def test_an_unknown_status_is_an_error_logged_once_per_batch(rotation):
    def thaw(ids):
        return [with_status(one, "thawed" if one % 2 else "frozen") if one < 115 else warmed(one) for one in ids]

    with serve_refreshes(thaw) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "lml_error", "unknown_status", "warmed") == {
        "lml_error": 14, "unknown_status": 14, "warmed": 46,
    }  # fmt: skip
    lines = rotation.steps("unknown_status")
    assert [(line["level"], line["status"]) for line in lines] == [("warn", "thawed"), ("warn", "frozen")] * 2
    assert report.verdict == "done"
    rotation.assert_adds_up(report)


@pytest.mark.parametrize(
    ("damage", "missing", "untrusted"),
    [
        (lambda answers: answers[:-1], 1, 0),
        (lambda _answers: [], 10, 0),
        (lambda answers: [*answers, warmed(999)], 0, 1),
        (lambda answers: [*answers, answers[0]], 0, 1),
        (lambda answers: [*answers[:-1], warmed(999)], 1, 1),
        (lambda answers: [answers[0]] * len(answers), 9, 9),
        (lambda answers: [None, *answers[1:]], 1, 1),
        (lambda answers: [None] * len(answers), 10, 10),
        (lambda answers: [warmed(one["identity_id"] + 1000) for one in answers], 10, 10),
    ],
    ids=["short", "empty", "surplus", "repeated", "foreign", "all the same", "a null", "all null", "all foreign"],
)
def test_identities_left_out_of_a_list_are_errors(rotation, damage, missing, untrusted):
    """A damaged list never counts as a success."""
    with serve_refreshes(lambda ids: damage(all_warmed(ids)) if 101 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "warmed", "lml_error", "answer_missing", "answers_untrusted", "batch_error") == {
        "warmed": 60 - missing, "lml_error": missing, "answer_missing": missing, "answers_untrusted": untrusted,
        "batch_error": 0,
    }  # fmt: skip
    assert "answers_trusted" in failed_checks(report)
    assert report.verdict == "anomaly"
    assert rotation.credited == [str(today())]
    (line,) = rotation.steps("answers_untrusted")
    assert (line["level"], line["batch_size"], line["missing"], line["untrusted"]) == ("warn", 10, missing, untrusted)
    rotation.assert_adds_up(report)


def test_answers_in_another_order_are_trusted(rotation):
    with serve_refreshes(lambda ids: mixed(ids)[::-1]) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "warmed", "answers_untrusted") == {"warmed": 42, "answers_untrusted": 0}
    assert "answers_trusted" not in failed_checks(report)


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"ok"',
        b"{}",
        b'{"results": null}',
        b'{"results": {}}',
        b'{"results": "warmed"}',
        b'{"results": 7}',
    ],
)
def test_an_answer_without_a_list_is_a_malformed_response(rotation, body):
    with serve_refreshes(lambda ids: body if 101 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "lml_error", "batch_error", "warmed") == {"lml_error": 10, "batch_error": 10, "warmed": 50}
    (line,) = rotation.steps("malformed_response")
    assert (line["level"], line["batch_size"]) == ("warn", 10)
    assert "error_message" not in line
    assert rotation.steps("batch_error") == []
    assert report.verdict == "anomaly"
    rotation.assert_adds_up(report)


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        ((500, {}), True),
        ((502, {}), True),
        ((503, {}), True),
        ((504, {}), True),
        ((429, {}), True),
        ((404, {}), False),
        ((499, {}), False),
        (b"<html>", True),
    ],
    ids=str,
)
def test_a_failed_call_loses_its_batch_and_logs_if_retryable(rotation, answer, retryable):
    with serve_refreshes(lambda ids: answer if 121 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "identities_scanned", "lml_error", "batch_error", "not_found") == {
        "identities_scanned": 60, "lml_error": 10, "batch_error": 10, "not_found": 0,
    }  # fmt: skip
    (line,) = rotation.steps("batch_error")
    assert (line["level"], line["batch_size"], line["retryable"]) == ("warn", 10, retryable)
    assert line["error_message"]
    assert rotation.steps("malformed_response") == []
    assert (report.verdict, rotation.credited) == ("anomaly", [str(today())])
    assert "LML did not answer for 10 identities" in report.reason
    rotation.assert_adds_up(report)


@pytest.mark.parametrize("status", [400, 413, 422])
def test_identity_that_lml_refuses_costs_itself_and_rests(rotation, status):
    with serve_refreshes(lambda ids: (status, {}) if 121 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url)
        assert counts(report, "identities_scanned", "warmed", "lml_error", "lml_refused", "batch_error") == {
            "identities_scanned": 60, "warmed": 59, "lml_error": 1, "lml_refused": 1, "batch_error": 0,
        }  # fmt: skip
        assert (report.verdict, rotation.credited) == ("anomaly", [str(today())])
        rotation.assert_adds_up(report)
        for _ in range(2):
            rotation.run(lml.url)
        rested = rotation.run(lml.url)
    assert (rested.verdict, rested.counters.identities_scanned) == ("done", 59)
    kinds = "SELECT input_id, kind, failures FROM wxyc_assets.quarantine"
    assert rotation.rows(kinds) == [(121, "lml_refused", 3)]


def test_a_batch_that_times_out_affects_no_other_batch(rotation):
    with serve_refreshes(lambda ids: lml.hang(ids) if 101 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url, client={"timeouts_s": {"refresh_for_identities": 2.5}})
    assert counts(report, "batch_error", "warmed") == {"batch_error": 10, "warmed": 50}
    assert "2.5 s" in rotation.steps("batch_error")[0]["error_message"]


def test_a_run_fails_if_lml_answers_no_call(rotation):
    """The run still counts every identity."""
    with serve_refreshes(lambda _ids: (500, {})) as lml:
        report = rotation.run(lml.url, client={"breaker_threshold": 3}, batching=Batching(10, 1))
    assert len(lml.asked) == report.counters.lml_total_calls == 3  # then the circuit breaker is open
    assert totals(report) == [60, 0, 0, 0, 0, 0, 60]
    assert (report.verdict, rotation.credited) == ("failed", [])
    assert "LML answered for none of the 60 identities" in report.reason
    assert rotation.stale == []
    assert [line["step"] for line in rotation.lines[-2:]] == ["done", "failed"]
    rotation.assert_adds_up(report)


def test_a_rejected_key_is_not_tried_for_every_batch(rotation):
    with serve_refreshes(lambda _ids: (401, {})) as lml:
        report = rotation.run(lml.url, batching=Batching(10, 1))
    assert (len(lml.asked), report.verdict) == (1, "failed")
    assert report.counters.batch_error == 60


@pytest.mark.parametrize("kind", ["short", "long", "foreign", "duplicated", "null_item", "swapped"])
def test_a_run_counts_the_answers_damaged_by_the_sandbox(rotation, sandbox, kind):
    rotation.local_dev = True  # otherwise the fault would hit the probe
    sandbox.faults.arm(Fault(endpoint=REFRESH, kind=kind, count=1))
    report = rotation.run(sandbox.url)
    assert report.counters.identities_scanned == 60
    assert report.counters.answer_missing == (kind not in {"long", "swapped"})
    assert ("answers_trusted" in failed_checks(report)) == (kind != "swapped")
    rotation.assert_adds_up(report)
