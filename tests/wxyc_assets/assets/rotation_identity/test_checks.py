import pytest

from wxyc_assets.assets.rotation_identity.checks import Coverage, accounting, of_answers, of_coverage
from wxyc_assets.assets.rotation_identity.counters import Counters

GOOD = Counters(scanned=10, resolved=7, unresolved=1, lml_error=1, raced=1)


def failed_checks(findings):
    return {finding.name: finding.severity for finding in findings if not finding.passed}


def test_a_good_run_passes_all_checks():
    assert (
        failed_checks([accounting(GOOD, inputs_read=10), *of_answers(GOOD), of_coverage(Coverage(20, 10, 10, 100.0))])
        == {}
    )


@pytest.mark.parametrize(
    ("counters", "inputs_read"), [(GOOD, 11), (GOOD.plus(scanned=1), 11), (GOOD.plus(raced=1), 10), (GOOD, 9)]
)
def test_numbers_that_do_not_add_up_fail_the_accounting(counters, inputs_read):
    assert failed_checks([accounting(counters, inputs_read=inputs_read)]) == {"accounting_holds": "ERROR"}


@pytest.mark.parametrize(
    ("name", "counter"),
    [("contract_violations_zero", "contract_violation"), ("writer_errors_zero", "writer_error")],
)
def test_each_check_fails_for_its_own_counter_alone(name, counter):
    assert failed_checks(of_answers(GOOD.plus(**{counter: 1}))) == {name: "ERROR"}


@pytest.mark.parametrize(
    ("with_discogs", "with_lml", "pct", "passed"),
    [
        (100, 99, 99.0, True),
        (100, 98, 98.0, False),
        (101, 100, 99.01, True),
        (99, 98, 98.99, False),
        (20_000, 19_799, 99.0, False),  # 98.995 %, which is 99.0 only once it is rounded
        (20_000, 19_800, 99.0, True),
        (1, 1, 100.0, True),
        (1, 0, 0.0, False),
    ],
)
def test_coverage_is_decided_on_counts_not_on_the_percentage(with_discogs, with_lml, pct, passed):
    assert of_coverage(Coverage(with_discogs, with_discogs, with_lml, pct)).passed is passed


def test_a_rotation_without_resolvable_rows_is_covered():
    finding = of_coverage(Coverage(3, 0, 0, None))
    assert (finding.passed, finding.numbers["resolvable_coverage_pct"]) == (True, None)
    assert Coverage(3, 0, 0, None).numbers() == {"active": 3, "active_with_discogs": 0, "active_with_lml": 0}


def test_the_coverage_check_shows_numbers_and_missing_rows():
    finding = of_coverage(Coverage(12, 10, 8, 80.0, [4, 9]))
    assert (finding.passed, finding.severity) == (False, "ERROR")
    assert finding.numbers == {
        "active": 12, "active_with_discogs": 10, "active_with_lml": 8, "resolvable_coverage_pct": 80.0,
    }  # fmt: skip
    assert finding.description == (
        "8 of 10 resolvable active rows have an identity, 99 % are required; the first rotation ids without: 4, 9"
    )
