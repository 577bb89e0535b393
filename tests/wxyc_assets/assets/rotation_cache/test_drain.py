"""A drain keeps a few batches in flight, within the budget."""

import itertools
import threading

from tests.run_harness import ConcurrentCalls, RecordedProgress
from tests.wxyc_assets.assets.rotation_cache.fake_lml import all_warmed, serve_refreshes
from tests.wxyc_assets.assets.rotation_cache.harness import FREE
from wxyc_assets.assets.rotation_cache.plan import Batching
from wxyc_assets.runs.discogs_rate import DiscogsRate


def test_exactly_the_allowed_batches_are_in_flight(rotation):
    calls = ConcurrentCalls(all_warmed, 3)
    with serve_refreshes(calls) as lml:
        rotation.run(lml.url, batching=Batching(4, 3))
    assert calls.most == 3


def test_each_call_reserves_its_expected_cost_from_the_budget(rotation):
    timeout = {
        "timeouts_s": {"refresh_for_identities": 0.1}
    }  # after a timeout, LML may have used the whole reservation
    with serve_refreshes(lambda ids: lml.hang(ids)) as lml:  # noqa: PLW0108 - lml is not defined yet
        rotation.run(lml.url, batching=Batching(50, 1), per_minute=1e6, client={"cost_refresh_id": 4, **timeout})
    ((used,),) = rotation.rows("SELECT recent_cost FROM wxyc_assets.budget")
    assert used == [200, 40]


def test_the_ledger_has_the_decreasing_number_of_expected_calls(rotation):
    seen = []

    def look_at_ledger(ids):
        seen.append(rotation.rows("SELECT discogs_calls_left FROM wxyc_assets.run")[0][0])
        return all_warmed(ids)

    with serve_refreshes(look_at_ledger) as lml:
        rotation.run(lml.url, batching=Batching(10, 1), discogs_rate=DiscogsRate(1e9, 4))
    assert seen[0] == 240
    assert all(before >= after for before, after in itertools.pairwise(seen))
    assert seen[-1] <= 80
    assert rotation.rows("SELECT discogs_calls_left FROM wxyc_assets.run") == [(0,)]


def test_a_thousand_identities_keep_three_calls_in_flight(empty_rotation):
    """Of 20 calls, 18 are answered only in groups of three that are in flight together."""
    empty_rotation.execute(
        "INSERT INTO rotation (rotation_bin, artist_name, lml_identity_id) "
        "SELECT 'M', 'Jessica Pratt', i FROM generate_series(1, 1000) AS i"
    )

    calls, three = itertools.count(), threading.Barrier(3, timeout=60)

    def answer_in_threes(ids):
        if next(calls) < 18:
            three.wait()
        return all_warmed(ids)

    with serve_refreshes(answer_in_threes) as lml:
        report = empty_rotation.run(lml.url, batching=Batching.within_budget(FREE, 3))
    assert (report.counters.warmed, report.counters.batches) == (1000, 20)
    assert not three.broken


def test_progress_counts_identities(rotation):
    rotation.progress = RecordedProgress()
    with serve_refreshes(all_warmed) as lml:
        rotation.run(lml.url, batching=Batching(25, 3))
    assert rotation.progress.calls == [("rotation_cache", 60, "identities"), 25, 25, 10, "finish"]
