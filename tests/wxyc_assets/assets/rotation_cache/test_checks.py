"""What passes and what fails, at the very edge, and what is shown of it."""

import pytest

from resources.deploy_gate.rules import Ruling
from wxyc_assets.rotation_cache.counters import Counters
from wxyc_assets.rotation_cache.findings import Recent, accounting, of_answers, of_gate, of_the_last_day


def only(findings, name):
    (found,) = [finding for finding in findings if finding.name == name]
    return found


@pytest.mark.parametrize(
    ("scanned", "errors", "not_found", "passed"),
    [
        (0, 0, 0, True),  # nothing answered for, nothing to fail
        (100, 100, 0, True),
        (100, 0, 1, True),  # exactly 1 % is tolerated
        (100, 0, 2, False),
        (1000, 0, 10, True),
        (1000, 0, 11, False),
        (200, 101, 1, False),  # a hundred errors do not water it down
        (200, 100, 1, True),
        (1, 0, 1, False),
    ],
)
def test_more_than_one_per_cent_of_those_answered_for_fails(scanned, errors, not_found, passed):
    finding = of_the_last_day(Recent(scanned, errors, not_found, [7]))
    assert (finding.passed, finding.severity) == (passed, "ERROR")
    assert bool(finding.description) != passed


def test_both_ratios_and_what_they_are_made_of_are_shown():
    finding = of_the_last_day(Recent(400, 200, 4, list(range(20))))
    assert finding.numbers == {
        "numerator": 4,
        "denominator": 200,
        "not_found_rate": 0.02,
        "identities_scanned": 400,
        "lml_error": 200,
        "not_found_rate_of_scanned": 0.01,
        "stale_identity_ids": list(range(20)),
    }
    assert "4 of the 200" in finding.description
    assert "2.00%; 1.00% of those scanned" in finding.description
    assert "the first: 0, 1, 2" in finding.description


def test_the_share_that_is_decided_on_is_never_the_smaller():
    for errors in range(50):
        numbers = Recent(50, errors, min(3, 50 - errors)).numbers
        assert numbers["not_found_rate"] >= numbers["not_found_rate_of_scanned"]


@pytest.mark.parametrize(
    ("untrusted", "missing", "passed"), [(0, 0, True), (1, 0, False), (0, 1, False), (2, 1, False)]
)
def test_answers_are_trusted_when_each_is_to_a_question_and_each_question_has_one(untrusted, missing, passed):
    counters = Counters(identities_scanned=9, answers_untrusted=untrusted, answer_missing=missing)
    finding = only(of_answers(counters), "answers_trusted")
    assert (finding.passed, finding.severity) == (passed, "ERROR")


@pytest.mark.parametrize(
    ("scanned", "errors", "passed"), [(0, 0, True), (19, 19, True), (20, 1, False), (100, 4, True), (100, 5, False)]
)
def test_five_per_cent_of_errors_warn_once_there_are_enough_to_speak_of_a_share(scanned, errors, passed):
    finding = only(of_answers(Counters(identities_scanned=scanned, lml_error=errors)), "error_rate_healthy")
    assert (finding.passed, finding.severity) == (passed, "WARN")


@pytest.mark.parametrize(
    ("counters", "read", "passed"),
    [
        (Counters(identities_scanned=3, identities_resolved=2, warmed=1, not_found=1, lml_error=1), 3, True),
        (Counters(identities_scanned=3, identities_resolved=2, warmed=1, not_found=1, lml_error=1), 4, False),
        (Counters(identities_scanned=4, identities_resolved=2, warmed=1, not_found=1, lml_error=1), 4, False),
        (Counters(identities_scanned=3, identities_resolved=3, warmed=1, not_found=1, lml_error=1), 3, False),
        (Counters(identities_scanned=3, identities_resolved=1, warmed=1, not_found=1, lml_error=1), 3, False),
    ],
)
def test_every_identity_is_counted_once_and_the_resolved_are_those_in_their_buckets(counters, read, passed):
    assert accounting(counters, inputs_read=read, dry_run=False).passed is passed


def test_a_dry_run_must_have_counted_what_it_read():
    assert accounting(Counters(identities_scanned=3), inputs_read=3, dry_run=True).passed
    assert not accounting(Counters(identities_scanned=3), inputs_read=4, dry_run=True).passed


def test_the_gate_is_a_check_with_its_reason():
    closed = of_gate(Ruling(False, "LML is too old", "abc"))
    assert (closed.passed, closed.severity, closed.description) == (False, "ERROR", "LML is too old")
    assert closed.numbers == {"commit_sha": "abc"}
    assert of_gate(Ruling(True, "it has the endpoint")).numbers == {"commit_sha": "not said"}
