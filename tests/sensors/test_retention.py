"""The schedule that prunes: off by default, and one run a tick."""

from datetime import UTC, datetime

import dagster as dg

from sensors.retention import prune_old_storage


def test_the_schedule_is_off_until_it_is_switched_on():
    assert prune_old_storage.default_status is dg.DefaultScheduleStatus.STOPPED


def test_a_tick_requests_one_run_and_a_repeated_tick_the_same():
    tick = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 6, 8, 6, 20, tzinfo=UTC))
    requests = [request for _ in range(2) for request in prune_old_storage.evaluate_tick(tick).run_requests or ()]
    assert [request.run_key for request in requests] == ["prune 2026-06-08T06:20+00:00"] * 2
