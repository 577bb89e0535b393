"""Counters add up, and account for every input exactly once."""

from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wxyc_assets.runs.counts import Counts, unaccounted
from wxyc_assets.runs.findings import Finding, failed_errors

counts = st.integers(0, 10**6)


@dataclass(frozen=True)
class Records(Counts):
    kept: int = 0
    lost: int = 0


records = st.builds(Records, counts, counts)


@given(records, records)
def test_counters_are_added_and_subtracted_field_by_field(one, other):
    assert one + other == Records(one.kept + other.kept, one.lost + other.lost)
    assert one + other - other == one
    assert one.plus(lost=3) == Records(one.kept, one.lost + 3)


def test_unknown_counter_is_refused():
    with pytest.raises(AttributeError, match="sold"):
        Records().plus(sold=1)


@given(records)
def test_stored_counters_of_another_revision_are_read_back(one):
    assert Records.from_stored(one.stored()) == one
    assert Records.from_stored({"kept": 3, "sold": 1}) == Records(kept=3)


@given(counts)
def test_three_counts_that_agree_account_for_every_input(count):
    assert unaccounted(inputs_read=count, scanned=count, in_buckets=count) == ""


@given(counts, counts, counts)
def test_disagreement_is_reported_with_all_three_numbers(read, scanned, buckets):
    assume(not read == scanned == buckets)
    problem = unaccounted(inputs_read=read, scanned=scanned, in_buckets=buckets)
    assert problem == f"{read} inputs were read, {scanned} were counted as scanned, {buckets} have an outcome"


def test_only_a_failed_error_check_is_an_anomaly():
    findings = [
        Finding("lost", passed=False),
        Finding("odd", passed=False, severity="WARN"),
        Finding("fine", passed=True),
    ]
    assert failed_errors(findings) == ["lost"]
