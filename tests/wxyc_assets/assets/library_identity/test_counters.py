"""The names that dashboards, runbooks and the ledger read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.library_identity.counters import SKIPPED, Counters, flattened, summed

NAMES = list(Counters().stored())
COUNTERS = st.builds(Counters, **{name: st.integers(0, 10**6) for name in NAMES})

TOTALS = {
    "scanned": 1,
    "rows_resolved": 2,
    "rows_unresolved": 3,
    "rows_skipped": {
        "compilation": 4,
        "lml_error": 5,
        "writer_error": 6,
        "lml_cardinality_mismatch": 7,
        "lml_untrusted_library_id": 8,
        "contract_violation": 9,
    },
    "answers_untrusted": 10,
    "source_rows_skipped_null_confidence": 11,
    "source_rows_skipped_invalid": 12,
    "history_rows_written": 13,
    "rows_resolved_compilation": 0,
    "compilation_track_rows_written": 0,
    "compilation_track_rows_skipped_unchanged": 0,
    "compilation_track_rows_skipped_librarian": 0,
    "compilation_track_rows_skipped_no_cta_match": 0,
    "compilation_track_rows_skipped_no_catalog_artist": 0,
    "compilation_track_position_rows_written": 0,
    "compilation_track_position_rows_skipped_ambiguous": 0,
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
        writer_error=6,
        lml_cardinality_mismatch=7,
        lml_untrusted_library_id=8,
        contract_violation=9,
        answers_untrusted=10,
        source_rows_skipped_null_confidence=11,
        source_rows_skipped_invalid=12,
        history_rows_written=13,
        lml_total_calls=14,
        lml_total_latency_ms=15,
    )


def test_totals_have_the_contracts_names_with_the_skipped_ones_nested(counters):
    assert counters.totals() == TOTALS


def test_the_dry_run_report_is_the_contracts_locked_object_and_nothing_else(counters):
    assert counters.dry_run_report() == {
        "scanned": 1,
        "lml_total_calls": 14,
        "lml_total_latency_ms": 15,
        "would_resolve": 2,
        "would_resolve_compilation": 0,
        "would_unresolved": 3,
        "would_skip": {
            "compilation": 4,
            "lml_error": 5,
            "lml_cardinality_mismatch": 7,
            "lml_untrusted_library_id": 8,
        },
        "source_rows_skipped_null_confidence": 11,
    }


def test_span_attributes_are_flat_and_numeric_with_the_skipped_ones_below_their_name(counters):
    attributes = dict(flattened(counters.totals(), "consumer"))
    assert attributes["consumer.scanned"] == 1
    assert attributes["consumer.rows_skipped.lml_untrusted_library_id"] == 8
    assert all(type(value) is int for value in attributes.values())
    assert len(attributes) == len(TOTALS) - 1 + len(SKIPPED)


def test_buckets_count_inputs_and_no_source_row_or_answer_is_among_them(counters):
    assert counters.accounted == sum(range(2, 10))


@given(COUNTERS, COUNTERS)
def test_adding_and_taking_away_touches_every_counter(one, other):
    added = one + other
    assert added.stored() == {name: one.stored()[name] + other.stored()[name] for name in NAMES}
    assert added - other == one
    assert summed([one, other]) == added


@given(COUNTERS)
def test_what_the_ledger_keeps_reads_back_the_same(counters):
    assert Counters.from_stored(counters.stored()) == counters


def test_a_tally_of_an_older_revision_reads_with_zeros_and_one_of_a_newer_without_its_news():
    assert Counters.from_stored({"scanned": 3, "of_the_future": 9}) == Counters(scanned=3)
