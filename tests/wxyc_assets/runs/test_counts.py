"""Numbers that add up, and that every input is found in exactly once."""

from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wxyc_assets.accounting import Counts, unaccounted
from wxyc_assets.finding import Finding, failed_errors

counts = st.integers(0, 10**6)


@dataclass(frozen=True)
class Records(Counts):
    kept: int = 0
    lost: int = 0


records = st.builds(Records, counts, counts)


@given(records, records)
def test_counters_are_added_and_taken_away_field_by_field(one, other):
    assert one + other == Records(one.kept + other.kept, one.lost + other.lost)
    assert one + other - other == one
    assert one.plus(lost=3) == Records(one.kept, one.lost + 3)


def test_a_counter_that_there_is_not_is_refused():
    with pytest.raises(AttributeError, match="sold"):
        Records().plus(sold=1)


@given(records)
def test_what_is_stored_is_read_back_also_from_a_revision_that_knew_others(one):
    assert Records.from_stored(one.stored()) == one
    assert Records.from_stored({"kept": 3, "sold": 1}) == Records(kept=3)


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
