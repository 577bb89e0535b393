"""Counters add up, keep their names in the ledger and in the totals, and account for every album."""

from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.assets.album_metadata.counters import Bucket, Counters, Unanswered, summed

FIELDS = list(Counters().stored())
ANY = st.builds(Counters, **{name: st.integers(0, 99) for name in FIELDS})
CONTRACT = {"scanned", "batches", "match", "no_match", "error", "upserts", "flipped", "unexpected_index"}
OURS = {"skipped_unresolvable", "deferred", "batch_error", "writer_error", "answers_untrusted"}


@given(st.lists(ANY))
def test_totals_of_a_run_are_the_sums_of_its_shards(parts):
    assert summed(parts).stored() == {name: sum(getattr(part, name) for part in parts) for name in FIELDS}


@given(ANY, ANY)
def test_subtraction_undoes_addition(one, other):
    assert one + other - other == one


@given(ANY)
def test_stored_counters_can_be_read(counters):
    assert Counters.from_stored(counters.stored()) == counters


def test_counters_missing_in_an_older_tally_are_0():
    assert Counters.from_stored({"scanned": 3}) == Counters(scanned=3)


def test_totals_have_the_contracts_names_and_flipped_is_0():
    totals = Counters(scanned=1, match=1).totals()
    assert totals.keys() >= CONTRACT | OURS
    assert totals["flipped"] == 0


def test_each_bucket_is_accounted_once_and_nothing_else():
    buckets = [*get_args(Bucket), "would_ask"]
    counters = Counters(**{name: 10**place for place, name in enumerate(buckets)})
    assert counters.accounted == 11_111_111
    within = dict.fromkeys([*get_args(Unanswered), "contract_violation", "upserts"], 5)
    assert counters.plus(**within).accounted == 11_111_111


def test_failed_calls_degraded_and_deferred_albums_are_unanswered():
    counters = Counters(match=1, match_untrusted=32, no_match=2, error=71, batch_error=4, lml_degraded=64)
    counters = counters.plus(unexpected_index=8, deferred=20, lml_deferred=16)
    assert (counters.asked, counters.answered, counters.unanswered) == (114, 46, 84)
