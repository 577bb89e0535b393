"""What stories know of usage from the station's own tables: its hours, its events, what they cost."""

from datetime import UTC, datetime, timedelta

from tests.browser.up import Station

HOUR = timedelta(hours=1)


def sample_day(station: Station) -> datetime:
    """Return the first hour of the day that the sample's events are of."""
    ((first,),) = station.rows(
        "SELECT min(COALESCE(event_ts, created_at)) FROM billing_event WHERE request_id LIKE 'req-%%'"
    )
    return first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def key(hour: datetime) -> str:
    """Return the partition key of an hour."""
    return hour.strftime("%Y-%m-%d-%H:%M")


def billed(station: Station, hour: datetime) -> tuple[int, str]:
    """Return how many rows an hour has, and what they cost together, exact."""
    ((rows, cost),) = station.rows(
        "SELECT count(*), COALESCE(sum(cost), 0)::numeric(20, 9)::text FROM rated_usage WHERE window_start = %s", hour
    )
    return int(rows), str(cost)


def copy_events(station: Station, first: datetime, hours: int, to: datetime) -> None:
    """Let the usage of some hours happen again at another time."""
    station.execute(
        "INSERT INTO billing_event (request_id, auth_id, resource_id, model, base_model, prompt_tokens, cached_tokens, "
        "completion_tokens, event_ts) SELECT 'again-' || request_id, auth_id, resource_id, model, base_model, prompt_tokens, "
        "cached_tokens, completion_tokens, COALESCE(event_ts, created_at) + %s FROM billing_event "
        "WHERE COALESCE(event_ts, created_at) >= %s AND COALESCE(event_ts, created_at) < %s",
        to - first,
        first,
        first + hours * HOUR,
    )
