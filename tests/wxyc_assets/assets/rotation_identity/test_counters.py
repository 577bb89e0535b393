from dataclasses import fields

from wxyc_assets.assets.rotation_identity.counters import BUCKETS, Counters


def test_scanned_is_the_sum_of_the_contracts_buckets_and_ours():
    assert set(BUCKETS) == {
        *("resolved", "resolved_dry", "unresolved", "lml_error", "raced"),
        *("contract_violation", "writer_error"),
    }
    assert Counters(**{name: 2**place for place, name in enumerate(BUCKETS)}).accounted == 2 ** len(BUCKETS) - 1


def test_counters_beside_the_buckets_count_no_rows():
    extra = {f.name for f in fields(Counters)} - {*BUCKETS, "scanned"}
    assert extra == {"resting", "lml_total_calls", "lml_total_latency_ms"}
    assert Counters(**dict.fromkeys(extra, 7)).accounted == 0


def test_only_errors_and_rows_of_a_dry_run_have_no_answer():
    counters = Counters(**dict.fromkeys(BUCKETS, 1))
    assert counters.answered == 5
    assert Counters(lml_error=3).answered == Counters(resolved_dry=3).answered == 0
