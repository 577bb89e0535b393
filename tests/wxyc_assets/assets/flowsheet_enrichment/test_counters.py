"""Counters add up, keep their names in the ledger, and account for every play."""

from dataclasses import fields

from wxyc_assets.assets.flowsheet_enrichment.counters import BUCKETS, Counters, summed

ONE = Counters(scanned=10, flipped=4, overtaken=3, locked=2, writer_error=1, chunks=5, paused_ms=30_000)


def test_counters_add_up_field_by_field():
    assert summed([ONE, ONE]) == Counters(**{f.name: 2 * getattr(ONE, f.name) for f in fields(Counters)})
    assert ONE.plus(flipped=2).flipped == 6


def test_every_bucket_is_accounted_and_chunks_are_not():
    assert ONE.accounted == ONE.scanned == sum(getattr(ONE, bucket) for bucket in BUCKETS)


def test_stored_counters_of_another_revision_can_be_read():
    assert Counters.from_stored(ONE.stored()) == ONE
    assert Counters.from_stored({"flipped": 3, "gone": 1}) == Counters(flipped=3)
