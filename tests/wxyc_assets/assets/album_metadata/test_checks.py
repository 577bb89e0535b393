"""The findings of a run, decided on its numbers."""

import pytest

from wxyc_assets.assets.album_metadata.checks import RecentMismatches, accounting, of_answers, of_last_day
from wxyc_assets.assets.album_metadata.counters import Counters

GOOD = Counters(scanned=100, match=90, upserts=90, no_match=8, error=2)


def failing(findings):
    return {finding.name: finding.severity for finding in findings if not finding.passed}


def test_good_run_passes_every_check():
    assert failing([accounting(GOOD, processed=GOOD, inputs_read=100), *of_answers(GOOD)]) == {}


@pytest.mark.parametrize(
    ("counters", "processed", "inputs_read"),
    [
        (GOOD, GOOD, 101),
        (GOOD.plus(scanned=1), GOOD.plus(scanned=1), 101),
        (GOOD.plus(scanned=1), GOOD, 100),
        (GOOD.plus(upserts=-1), GOOD, 100),
        (GOOD.plus(match_without_artwork=1), GOOD, 100),
    ],
)
def test_numbers_that_do_not_add_up_fail_the_accounting(counters, processed, inputs_read):
    assert failing([accounting(counters, processed=processed, inputs_read=inputs_read)]) == {
        "accounting_holds": "ERROR"
    }


@pytest.mark.parametrize(
    ("name", "severity", "change"),
    [
        ("unexpected_index_is_zero", "ERROR", {"unexpected_index": 1}),
        ("contract_violations_zero", "ERROR", {"contract_violation": 1}),
        ("writer_errors_zero", "ERROR", {"writer_error": 1}),
        ("surplus_answers_zero", "WARN", {"answers_untrusted": 1}),
        ("error_rate_healthy", "WARN", {"error": 4}),
        ("error_rate_healthy", "WARN", {"error": 30, "batch_error": 30}),
    ],
)
def test_each_check_fails_for_its_own_number_alone(name, severity, change):
    assert failing(of_answers(GOOD.plus(**change))) == {name: severity}


@pytest.mark.parametrize(
    ("albums", "errors", "passed"), [(100, 4, True), (100, 5, False), (1000, 48, True), (20, 20, False), (19, 19, True)]
)
@pytest.mark.parametrize("why", ["batch_error", "lml_degraded", "contract_violation"])
def test_five_percent_of_errors_warn_whatever_their_cause(albums, errors, passed, why):
    """An album that LML gave no answer about was asked about like the others: it stays in the denominator."""
    counters = Counters(scanned=albums, match=albums - errors, upserts=albums - errors, error=errors).plus(
        **{why: errors}
    )
    (finding,) = [one for one in of_answers(counters) if one.name == "error_rate_healthy"]
    assert (finding.passed, finding.severity, finding.numbers["asked"]) == (passed, "WARN", albums)


def test_error_rate_of_few_albums_passes():
    assert failing(of_answers(Counters(scanned=19, error=19))) == {}


def test_check_of_the_last_day_warns_and_names_the_first():
    finding = of_last_day(RecentMismatches(3, 17, "position 3: index 4 in its place", "run-1"))
    assert (finding.passed, finding.severity) == (False, "WARN")
    assert finding.description == (
        "3 results had an unexpected index within 24 h; the first: album 17, position 3: index 4 in its place, in run run-1"
    )
    assert finding.numbers == {"unexpected_index_24h": 3, "first_mismatch_album_id": 17}
    assert of_last_day(RecentMismatches(0)).passed
