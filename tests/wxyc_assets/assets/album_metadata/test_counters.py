from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.album_metadata.counters import Counters, summed

FIELDS = list(Counters().stored())
ANY = st.builds(Counters, **{name: st.integers(0, 99) for name in FIELDS})
CONTRACT = {"scanned", "batches", "match", "no_match", "error", "upserts", "flipped", "unexpected_index"}
OURS = {"skipped_unresolvable", "deferred", "batch_error", "writer_error", "answers_untrusted"}


@given(st.lists(ANY))
def test_totals_of_a_run_are_the_sums_of_its_shards(parts):
    assert summed(parts).stored() == {name: sum(getattr(part, name) for part in parts) for name in FIELDS}


@given(ANY, ANY)
def test_what_was_added_can_be_taken_away(one, other):
    assert one + other - other == one


@given(ANY)
def test_the_ledger_gives_back_what_it_was_given(counters):
    assert Counters.from_stored(counters.stored()) == counters


def test_a_tally_of_an_older_revision_reads_as_nothing_counted():
    assert Counters.from_stored({"scanned": 3}) == Counters(scanned=3)


def test_totals_have_the_contracts_names_and_the_flowsheet_pass_is_counted_elsewhere():
    totals = Counters(scanned=1, match=1).totals()
    assert totals.keys() >= CONTRACT | OURS
    assert totals["flipped"] == 0


def test_every_bucket_is_accounted_once_and_what_is_within_another_is_not():
    buckets = ["match", "no_match", "error", "unexpected_index", "skipped_unresolvable", "deferred", "would_ask"]
    counters = Counters(**{name: 10**place for place, name in enumerate(buckets)})
    assert counters.accounted == 1_111_111
    assert counters.plus(batch_error=5, lml_deferred=5, contract_violation=5, upserts=5).accounted == 1_111_111


def test_an_error_of_a_failed_call_and_a_held_back_album_were_not_answered():
    counters = Counters(match=1, no_match=2, error=7, batch_error=4, unexpected_index=8, deferred=20, lml_deferred=16)
    assert (counters.answered, counters.unanswered) == (14, 20)
