"""The limits at which the checks pass and fail, and the numbers they show."""

import pytest

from resources.deploy_gate.rules import GateDecision
from wxyc_assets.assets.rotation_cache.checks import RecentRefreshes, accounting, of_answers, of_gate, of_the_last_day
from wxyc_assets.assets.rotation_cache.counters import Counters


def only(findings, name):
    (found,) = [finding for finding in findings if finding.name == name]
    return found


@pytest.mark.parametrize(
    ("scanned", "errors", "not_found", "passed"),
    [
        (0, 0, 0, True),  # without answers, nothing fails
        (100, 100, 0, True),
        (100, 0, 1, True),  # exactly 1 % is tolerated
        (100, 0, 2, False),
        (1000, 0, 10, True),
        (1000, 0, 11, False),
        (200, 101, 1, False),  # errors do not dilute the share
        (200, 100, 1, True),
        (1, 0, 1, False),
    ],
)
def test_more_than_one_percent_of_unknown_identities_fails(scanned, errors, not_found, passed):
    """The share is of the identities with an answer."""
    finding = of_the_last_day(RecentRefreshes(scanned, errors, not_found, [7]))
    assert (finding.passed, finding.severity) == (passed, "ERROR")
    assert bool(finding.description) != passed


def test_both_shares_and_their_counts_are_shown():
    finding = of_the_last_day(RecentRefreshes(400, 200, 4, list(range(20))))
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


def test_the_deciding_share_is_never_the_smaller_one():
    for errors in range(50):
        numbers = RecentRefreshes(50, errors, min(3, 50 - errors)).numbers
        assert numbers["not_found_rate"] >= numbers["not_found_rate_of_scanned"]


@pytest.mark.parametrize(
    ("untrusted", "missing", "passed"), [(0, 0, True), (1, 0, False), (0, 1, False), (2, 1, False)]
)
def test_answers_are_trusted_if_each_identity_has_exactly_one(untrusted, missing, passed):
    counters = Counters(identities_scanned=9, answers_untrusted=untrusted, answer_missing=missing)
    finding = only(of_answers(counters), "answers_trusted")
    assert (finding.passed, finding.severity) == (passed, "ERROR")


@pytest.mark.parametrize(
    ("scanned", "errors", "passed"), [(0, 0, True), (19, 19, True), (20, 1, False), (100, 4, True), (100, 5, False)]
)
def test_five_percent_of_errors_warn_from_20_identities_on(scanned, errors, passed):
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
def test_the_accounting_needs_one_bucket_for_each_identity(counters, read, passed):
    assert accounting(counters, inputs_read=read, dry_run=False).passed is passed


def test_a_dry_run_must_count_what_it_read():
    assert accounting(Counters(identities_scanned=3), inputs_read=3, dry_run=True).passed
    assert not accounting(Counters(identities_scanned=3), inputs_read=4, dry_run=True).passed


def test_the_gate_is_a_check_with_its_reason():
    closed = of_gate(GateDecision(False, "LML is too old", "abc"))
    assert (closed.passed, closed.severity, closed.description) == (False, "ERROR", "LML is too old")
    assert closed.numbers == {"commit_sha": "abc"}
    assert of_gate(GateDecision(True, "it has the endpoint")).numbers == {"commit_sha": "not said"}
