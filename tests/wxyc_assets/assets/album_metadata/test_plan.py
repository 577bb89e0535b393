"""The plan of a run: its batches, what they cost, and what it does not ask about."""

from datetime import UTC, datetime

from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.plan import Plan, ShardPlan
from wxyc_assets.runs.discogs_rate import DiscogsRate, Forecast

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def test_last_batch_of_a_shard_may_be_smaller():
    assert [ShardPlan(range(count)).batches(5) for count in (0, 1, 5, 6, 11)] == [0, 1, 1, 2, 3]


def test_plan_adds_up_its_shards():
    plan = Plan(NOW, 5, {0: ShardPlan(range(6), 2, 3), 1: ShardPlan(range(4)), 2: ShardPlan()})
    assert (plan.scanned, plan.to_ask, plan.batches) == (15, 10, 3)
    assert plan.dry_counters(0) == Counters(scanned=11, would_ask=6, skipped_unresolvable=2, deferred=3, batches=2)
    assert all(plan.dry_counters(shard).accounted == plan.dry_counters(shard).scanned for shard in plan.shards)


def test_dry_run_report_holds_only_numbers():
    plan = Plan(NOW, 5, {0: ShardPlan(range(6), 2, 3)})
    discogs_rate = DiscogsRate(30, 1)
    report = plan.dry_run_report(discogs_rate, Forecast(NOW, 1.25, discogs_rate.seconds(6)))
    assert report == {
        "scanned": 11,
        "batches": 2,
        "calls": 2,
        "would_ask": 6,
        "would_skip_unresolvable": 2,
        "would_defer": 3,
        "discogs_calls": 6,
        "budget_backlog_s": 1.2,
        "budget_ours_s": 12,
    }
    assert all(isinstance(value, int | float) for value in report.values())
