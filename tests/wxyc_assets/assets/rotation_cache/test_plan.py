"""The day and the batches of a run, and the report of a dry run."""

from datetime import UTC, date, datetime

import pytest

from resources.lml import endpoints
from wxyc_assets.assets.rotation_cache.plan import LML_REFRESH_BATCH_CAP, Batching, Plan, unwarmable_days
from wxyc_assets.runs.discogs_rate import DiscogsRate, Forecast

TODAY = date(2026, 3, 1)
NOW = datetime(2026, 3, 1, 4, 30, tzinfo=UTC)


def test_the_batch_cap_is_that_of_lml_and_of_its_client():
    assert LML_REFRESH_BATCH_CAP == endpoints.REFRESH_CAP == 50


@pytest.mark.parametrize("size", [-1, 0, 51, 100])
def test_batch_sizes_that_lml_would_refuse_are_refused(size):
    with pytest.raises(ValueError, match="LML_REFRESH_BATCH_CAP"):
        Batching(size, 1)


def test_at_least_one_batch_is_in_flight():
    with pytest.raises(ValueError, match="in flight"):
        Batching(50, 0)


@pytest.mark.parametrize(
    ("per_minute", "cost", "max_concurrent", "size", "in_flight"),
    [
        (30, 4, 3, 3, 1),  # the defaults: 12 Discogs calls take 24 s, so one batch is in flight
        (30, 0, 3, 50, 3),
        (1e9, 4, 3, 50, 3),
        (1e9, 4, 50, 50, 50),
        (12_000, 4, 50, 50, 5),
        (1, 4, 3, 1, 1),
    ],
)
def test_the_budget_limits_batch_size_and_batches_in_flight(per_minute, cost, max_concurrent, size, in_flight):
    """A batch uses at most half a minute of the budget."""
    assert Batching.within_budget(DiscogsRate(per_minute, cost), max_concurrent) == Batching(size, in_flight)


@pytest.mark.parametrize(
    ("identities", "size", "batches"),
    [(0, 50, []), (1, 50, [1]), (50, 50, [50]), (51, 50, [50, 1]), (15, 7, [7, 7, 1])],
)
def test_every_identity_is_in_one_batch_in_order(identities, size, batches):
    plan = Plan(range(identities), Batching(size, 1))
    assert [len(batch) for batch in plan.batches] == batches
    assert [one for batch in plan.batches for one in batch] == list(range(identities))


def test_the_report_of_a_dry_run_has_only_numbers():
    report = Plan(range(15), Batching(7, 1)).dry_run_report(DiscogsRate(30, 4), Forecast(NOW, 12.34, 120))
    assert report == {
        "identities_scanned": 15,
        "batch_count": 3,
        "calls": 3,
        "discogs_calls": 60,
        "budget_backlog_s": 12.3,
        "budget_ours_s": 120,
    }
    assert all(type(value) in (int, float) for value in report.values())


def test_today_is_not_refused():
    assert unwarmable_days(["2026-03-01"], TODAY) == {}


@pytest.mark.parametrize(
    "days", [["2026-02-28"], ["2026-03-02"], ["2026-02-28", "2026-03-01"], ["2026-03-01", "2026-03-02"], ["2026-3-1"]]
)
def test_another_day_or_a_range_with_today_is_refused(days):
    ((name, reason),) = unwarmable_days(days, TODAY).items()
    assert name == (days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}")
    assert "yesterday's cannot be warmed any more" in reason
    assert "run the partition 2026-03-01 alone" in reason
