"""Usage in the station's tables: hours, events and costs."""

from datetime import UTC, datetime, timedelta

from tests.browser.up import Station

HOUR = timedelta(hours=1)


def sample_day(station: Station) -> datetime:
    """Return the first hour of the day of the sample's events."""
    ((first,),) = station.rows(
        "SELECT min(COALESCE(event_ts, created_at)) FROM billing_event WHERE request_id LIKE 'req-%%'"
    )
    assert isinstance(first, datetime)
    return first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def key(hour: datetime) -> str:
    """Return the partition key of an hour."""
    return hour.strftime("%Y-%m-%d-%H:%M")


def billed(station: Station, hour: datetime) -> tuple[int, str]:
    """Return the number of rows of an hour, and their exact total cost."""
    ((rows, cost),) = station.rows(
        "SELECT count(*), COALESCE(sum(cost), 0)::numeric(20, 9)::text FROM rated_usage WHERE window_start = %s", hour
    )
    return int(rows), str(cost)


def copy_events(station: Station, first: datetime, hours: int, to: datetime) -> None:
    """Copy the events of ``hours`` hours from ``first`` to another time."""
    station.execute(
        "INSERT INTO billing_event (request_id, auth_id, resource_id, model, base_model, prompt_tokens, cached_tokens, "
        "completion_tokens, event_ts) SELECT 'again-' || request_id, auth_id, resource_id, model, base_model, prompt_tokens, "
        "cached_tokens, completion_tokens, COALESCE(event_ts, created_at) + %s FROM billing_event "
        "WHERE COALESCE(event_ts, created_at) >= %s AND COALESCE(event_ts, created_at) < %s",
        to - first,
        first,
        first + hours * HOUR,
    )
