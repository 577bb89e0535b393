"""Partition keys: the 16 shards that assets share, closed UTC hours and windows of them, UTC days, and ranges of keys. Pure."""

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

SHARD_COUNT = 16
"""A library belongs to shard ``library.id % 16``."""

SHARD_KEYS = [str(shard) for shard in range(SHARD_COUNT)]


def shard_ranges(shards: Iterable[int]) -> list[tuple[str, str]]:
    """Group shards into ranges of partition keys, both ends included: Dagster launches one run for a range, not for a set."""
    ranges: list[tuple[int, int]] = []
    for shard in sorted(set(shards)):
        if ranges and ranges[-1][1] == shard - 1:
            ranges[-1] = (ranges[-1][0], shard)
        else:
            ranges.append((shard, shard))
    return [(str(first), str(last)) for first, last in ranges]


def range_tags(first: str, last: str) -> dict[str, str]:
    """Return the tags that make a run materialize the partitions from ``first`` to ``last``, both included."""
    return {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}


def shard_numbers(keys: Sequence[str]) -> list[int]:
    """Return partition keys as shard numbers."""
    return [int(key) for key in keys]


HOUR = timedelta(hours=1)

FIRST_HOUR = datetime(2026, 1, 1, tzinfo=UTC)
"""The first hour that can be rated. Billing may begin later: BILLING_START."""

LATE_AFTER = timedelta(hours=2)
"""An hour that closed longer ago than this and is not rated is late."""

_KEY = "%Y-%m-%d-%H:%M"
# RFC 3339 with optional seconds. fromisoformat alone would also accept week dates and bare days.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EXAMPLE = "such as 2026-06-08T10:00:00Z"


class WindowError(ValueError):
    """A window that cannot be rated; the message names the wrong bound and the reason."""


def hour_key(hour: datetime) -> str:
    """Return the partition key of the hour that starts at this instant."""
    return hour.astimezone(UTC).strftime(_KEY)


def hour_start(partition_key: str) -> datetime:
    """Return the instant at which the hour of a partition key starts."""
    return datetime.strptime(partition_key, _KEY).replace(tzinfo=UTC)


def window_text(start: datetime, end: datetime) -> str:
    """Return a window as log lines have it: ``[2026-06-08T10:00:00Z,2026-06-08T11:00:00Z)``."""
    return f"[{rfc3339(start)},{rfc3339(end)})"


def window_keys(
    since: str | None, until: str | None, now: datetime, trailing: int, billing_start: datetime = FIRST_HOUR
) -> tuple[str, str]:
    """Return the first and the last hour of a window, as partition keys, both included.

    Args:
        since: start of the window, RFC 3339, on a UTC hour; None: ``trailing`` hours before the hour of ``now``.
        until: end of the window, not included, likewise; None: the hour of ``now`` that is not closed yet.
        now: with a time zone.
        trailing: number of closed hours in a window without bounds, at least 1.
        billing_start: the first hour that is rated.

    Raises WindowError if a bound cannot be read, is not on a UTC hour, lies before ``billing_start`` or ahead of the closed
    hours, or if the window ends before it begins. Source: contract/rated-usage.md, "cmd/rater"; DESIGN, "rated_usage" on
    the future.
    """
    closed = floor_hour(now)
    end = utc_hour("--until", until) if until is not None else closed
    if billing_start >= closed:
        raise WindowError(f"no hour has closed since billing began, at {rfc3339(billing_start)}")
    start = utc_hour("--since", since) if since is not None else max(billing_start, closed - trailing * HOUR)
    if start < billing_start:
        raise WindowError(f"--since {since}: hours before {rfc3339(billing_start)} are not rated")
    for name, text, instant in (("--since", since, start), ("--until", until, end)):
        if instant > closed:
            raise WindowError(f"{name} {text}: lies ahead; the last closed hour ended at {rfc3339(closed)}")
    if start >= end:
        raise WindowError(f"the window {window_text(start, end)} ends before it begins, or is empty")
    return hour_key(start), hour_key(end - HOUR)


def hour_ranges(hours: Iterable[str]) -> list[tuple[str, str]]:
    """Group hours into ranges of partition keys without a gap, both ends included."""
    ranges: list[tuple[str, str]] = []
    for hour in sorted(set(hours)):
        if ranges and hour_key(hour_start(ranges[-1][1]) + HOUR) == hour:
            ranges[-1] = (ranges[-1][0], hour)
        else:
            ranges.append((hour, hour))
    return ranges


def hours_between(first: str, last: str) -> list[str]:
    """Return the partition keys of the hours from ``first`` to ``last``, both included."""
    start, end = hour_start(first), hour_start(last)
    return [hour_key(start + place * HOUR) for place in range((end - start) // HOUR + 1)]


def trailing_keys(now: datetime, trailing: int, billing_start: datetime = FIRST_HOUR) -> tuple[str, str]:
    """Return the first and the last of the closed hours that a routine run rates; raises WindowError if there is none."""
    return window_keys(None, None, now, trailing, billing_start)


def hour_of(text: str) -> datetime:
    """Read one hour, as an instant of RFC 3339 on a UTC hour or as a partition key; raises WindowError."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}:00", text):
        try:
            return hour_start(text)
        except ValueError as error:
            raise WindowError(f"--hour {text}: there is no such hour") from error
    return utc_hour("--hour", text)


def instant_of(name: str, text: str) -> datetime:
    """Read an instant of RFC 3339, in UTC; raises WindowError, whose message begins with ``name``."""
    try:
        # fromisoformat refuses an empty string, and so every other spelling.
        return datetime.fromisoformat(text.upper() if _INSTANT.fullmatch(text) else "").astimezone(UTC)
    except (ValueError, OverflowError):
        raise WindowError(f"{name} {text}: is not an instant with its time zone, {_EXAMPLE}") from None


def utc_hour(name: str, text: str) -> datetime:
    """Read an instant of RFC 3339 on a UTC hour; raises WindowError, whose message begins with ``name``."""
    instant = instant_of(name, text)
    if instant != floor_hour(instant):
        raise WindowError(f"{name} {text}: is not on a whole UTC hour, {_EXAMPLE}")
    return instant


def closed_keys(now: datetime, trailing: int | None = None, billing_start: datetime = FIRST_HOUR) -> list[str]:
    """Return the trailing closed hours since billing began, ascending; ``trailing`` None: all of them."""
    closed = floor_hour(now)
    first = billing_start if trailing is None else max(billing_start, closed - trailing * HOUR)
    return [hour_key(first + place * HOUR) for place in range((closed - first) // HOUR)]


def due_keys(now: datetime, trailing: int, billing_start: datetime = FIRST_HOUR) -> list[str]:
    """Return the trailing hours that closed more than two hours ago: they must have been rated by now."""
    return [hour for hour in closed_keys(now, trailing, billing_start) if hour_start(hour) + HOUR + LATE_AFTER < now]


def changed_days(days: Collection[str], warmed: Collection[str], today: date) -> tuple[list[str], list[str]]:
    """Return the days to add to the rotation's cache and the days to drop, each ascending.

    Its days are today and those whose cache was warmed. Yesterday stays as it is: its run may still be at work.
    """
    recent = {today.isoformat(), (today - timedelta(days=1)).isoformat()}
    added = ({today.isoformat()} | set(warmed)) - set(days)
    return sorted(added), sorted(set(days) - set(warmed) - recent)


def floor_hour(instant: datetime) -> datetime:
    """Return the start of the UTC hour of an instant."""
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def rfc3339(instant: datetime) -> str:
    """Return an instant in UTC to the second: ``2026-06-08T10:00:00Z``."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
