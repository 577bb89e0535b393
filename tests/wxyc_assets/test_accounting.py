from hypothesis import assume, given
from hypothesis import strategies as st

from wxyc_assets.accounting import unaccounted
from wxyc_assets.finding import Finding, failed_errors

counts = st.integers(0, 10**6)


@given(counts)
def test_three_counts_that_agree_account_for_every_input(count):
    assert unaccounted(inputs_read=count, scanned=count, in_buckets=count) == ""


@given(counts, counts, counts)
def test_any_disagreement_is_said_with_all_three_numbers(read, scanned, buckets):
    assume(not read == scanned == buckets)
    said = unaccounted(inputs_read=read, scanned=scanned, in_buckets=buckets)
    assert said == f"{read} inputs were read, {scanned} were counted as scanned, {buckets} have an outcome"


def test_only_a_failed_error_check_is_an_anomaly():
    findings = [
        Finding("lost", passed=False),
        Finding("odd", passed=False, severity="WARN"),
        Finding("fine", passed=True),
    ]
    assert failed_errors(findings) == ["lost"]
