"""How many calls are in flight, how large a batch is, and when the budget has let all calls through."""

from datetime import UTC, datetime, timedelta

import pytest

from wxyc_assets.runs.discogs_rate import DiscogsRate, Forecast

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("per_minute", "calls_per_input", "batch_size", "in_flight"),
    [
        (30, 1, 5, 1),  # ten seconds a batch: one at a time keeps that budget busy
        (60, 1, 1, 5),
        (240_000, 1, 100, 8),
        (6_000, 1, 100, 5),
        (0.001, 1, 100, 1),
        (30, 0, 100, 8),  # costs nothing
    ],
)
def test_calls_in_flight_are_at_most_five_seconds_of_budget(per_minute, calls_per_input, batch_size, in_flight):
    assert DiscogsRate(per_minute, calls_per_input).in_flight(batch_size, 8) == in_flight


@pytest.mark.parametrize(
    ("per_minute", "calls_per_input", "size"),
    [
        (30, 4, 3),  # 12 calls
        (32, 4, 4),
        (400, 4, 50),
        (1e9, 4, 50),
        (1e308, 1e-308, 50),
        (30, 0, 50),  # costs nothing
        (3, 4, 1),  # one alone costs more than that, and and is asked all the same
        (1e-9, 4, 1),
    ],
)
def test_a_batch_is_at_most_half_a_minute_of_the_budget(per_minute, calls_per_input, size):
    discogs_rate = DiscogsRate(per_minute, calls_per_input)
    assert discogs_rate.batch_size(50) == size
    assert discogs_rate.seconds(size) <= 30 or size == 1


def test_forecast_ends_after_what_others_have_reserved():
    forecast = Forecast(NOW, backlog_s=30, ours_s=DiscogsRate(30, 2).seconds(45))
    assert forecast.done_at == NOW + timedelta(seconds=30 + 180)
