"""Counters under the names that dashboards, the runbook and the ledger read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.assets.library_identity.counters import SKIPPED, Counters, flattened, summed

NAMES = list(Counters().stored())
COUNTERS = st.builds(Counters, **{name: st.integers(0, 10**6) for name in NAMES})
TOTALS = {
    "scanned": 1,
    "rows_resolved": 2,
    "rows_unresolved": 3,
    "rows_skipped": {
        "compilation": 4,
        "lml_error": 5,
        "lml_refused": 16,
        "manual_differs": 17,
        "writer_error": 6,
        "lml_cardinality_mismatch": 7,
        "lml_untrusted_library_id": 8,
        "contract_violation": 9,
    },
    "answers_untrusted": 10,
    "source_rows_skipped_null_confidence": 11,
    "source_rows_skipped_invalid": 12,
    "history_rows_written": 13,
    "rows_resolved_compilation": 18,
    "compilation_track_rows_written": 21,
    "compilation_track_rows_skipped_unchanged": 22,
    "compilation_track_rows_skipped_librarian": 23,
    "compilation_track_rows_skipped_no_cta_match": 24,
    "compilation_track_rows_skipped_no_catalog_artist": 25,
    "compilation_track_position_rows_written": 26,
    "compilation_track_position_rows_skipped_ambiguous": 27,
    "compilation_track_entries_skipped_invalid": 28,
    "lml_total_calls": 14,
    "lml_total_latency_ms": 15,
}


@pytest.fixture
def counters():
    return Counters(
        scanned=1,
        resolved=2,
        unresolved=3,
        compilation=4,
        lml_error=5,
        lml_refused=16,
        manual_differs=17,
        writer_error=6,
        lml_cardinality_mismatch=7,
        lml_untrusted_library_id=8,
        contract_violation=9,
        answers_untrusted=10,
        source_rows_skipped_null_confidence=11,
        source_rows_skipped_invalid=12,
        history_rows_written=13,
        resolved_compilation=18,
        compilation_track_rows_written=21,
        compilation_track_rows_skipped_unchanged=22,
        compilation_track_rows_skipped_librarian=23,
        compilation_track_rows_skipped_no_cta_match=24,
        compilation_track_rows_skipped_no_catalog_artist=25,
        compilation_track_position_rows_written=26,
        compilation_track_position_rows_skipped_ambiguous=27,
        compilation_track_entries_skipped_invalid=28,
        lml_total_calls=14,
        lml_total_latency_ms=15,
    )


def test_totals_have_the_contracts_names(counters):
    assert counters.totals() == TOTALS


def test_dry_run_report_is_the_contracts_locked_object(counters):
    assert counters.dry_run_report() == {
        "scanned": 1,
        "lml_total_calls": 14,
        "lml_total_latency_ms": 15,
        "would_resolve": 2,
        "would_resolve_compilation": 18,
        "would_unresolved": 3,
        "would_skip": {
            "compilation": 4,
            "lml_error": 21,
            "lml_cardinality_mismatch": 7,
            "lml_untrusted_library_id": 8,
        },
        "source_rows_skipped_null_confidence": 11,
    }


def test_span_attributes_are_flat_and_numeric(counters):
    attributes = dict(flattened(counters.totals(), "consumer"))
    assert attributes["consumer.scanned"] == 1
    assert attributes["consumer.rows_skipped.lml_untrusted_library_id"] == 8
    assert all(type(value) is int for value in attributes.values())
    assert len(attributes) == len(TOTALS) - 1 + len(SKIPPED)


def test_only_buckets_are_accounted(counters):
    assert counters.accounted == sum(range(2, 10)) + sum((16, 17, 18))


@given(COUNTERS, COUNTERS)
def test_addition_and_subtraction_change_every_counter(one, other):
    added = one + other
    assert added.stored() == {name: one.stored()[name] + other.stored()[name] for name in NAMES}
    assert added - other == one
    assert summed([one, other]) == added


@given(COUNTERS)
def test_stored_counters_can_be_read(counters):
    assert Counters.from_stored(counters.stored()) == counters


def test_stored_counters_of_another_revision_can_be_read():
    assert Counters.from_stored({"scanned": 3, "of_the_future": 9}) == Counters(scanned=3)
