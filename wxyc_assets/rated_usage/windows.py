"""Which hours a run rates: windows of whole, closed UTC hours, as instants and as partition keys. Pure."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

HOUR = timedelta(hours=1)

FIRST_HOUR = datetime(2026, 1, 1, tzinfo=UTC)
"""Nothing before this hour is rated."""

LATE_AFTER = timedelta(hours=2)
"""An hour that closed longer ago than this and is not rated is late."""

_KEY = "%Y-%m-%d-%H:%M"
# RFC 3339, but that seconds may be left out. fromisoformat alone would also read week dates and bare days.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EXAMPLE = "such as 2026-06-08T10:00:00Z"


class WindowError(ValueError):
    """A window that cannot be rated; the message says which bound is wrong, and why."""


def key(hour: datetime) -> str:
    """Return the partition key of the hour that begins at an instant."""
    return hour.astimezone(UTC).strftime(_KEY)


def start_of(partition_key: str) -> datetime:
    """Return the instant at which an hour begins, from its partition key."""
    return datetime.strptime(partition_key, _KEY).replace(tzinfo=UTC)


def written(start: datetime, end: datetime) -> str:
    """Return a window as log lines have it: ``[2026-06-08T10:00:00Z,2026-06-08T11:00:00Z)``."""
    first, last = (instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for instant in (start, end))
    return f"[{first},{last})"


def window_keys(since: str | None, until: str | None, now: datetime, trailing: int) -> tuple[str, str]:
    """Return the first and the last hour of a window, as partition keys, both included.

    Args:
        since: begin of the window, RFC 3339, on a UTC hour; None: ``trailing`` hours before the hour of ``now``.
        until: end of the window, not included, likewise; None: the hour of ``now`` that is not closed yet.
        now: with a time zone.
        trailing: closed hours of a window without bounds, at least 1.

    Raises WindowError if a bound cannot be read, is not on a UTC hour, lies before 2026 or ahead of the closed hours, or if
    the window ends before it begins. Source: contract/rated-usage.md, "cmd/rater"; DESIGN, "rated_usage" on the future.
    """
    closed = _floor(now)
    end = _bound("--until", until) if until is not None else closed
    start = _bound("--since", since) if since is not None else max(FIRST_HOUR, closed - trailing * HOUR)
    if start < FIRST_HOUR:
        raise WindowError(f"--since {since}: hours before {_text(FIRST_HOUR)} are not rated")
    for name, text, instant in (("--since", since, start), ("--until", until, end)):
        if instant > closed:
            raise WindowError(f"{name} {text}: lies ahead; the last closed hour ended at {_text(closed)}")
    if start >= end:
        raise WindowError(f"the window {written(start, end)} ends before it begins, or is empty")
    return key(start), key(end - HOUR)


def trailing_keys(now: datetime, trailing: int) -> tuple[str, str]:
    """Return the first and the last of the closed hours that a routine run rates."""
    return window_keys(None, None, now, trailing)


def hour_of(text: str) -> datetime:
    """Read one hour, as an instant of RFC 3339 on a UTC hour or as a partition key; raises WindowError."""
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}:00", text):
        try:
            return start_of(text)
        except ValueError as error:
            raise WindowError(f"--hour {text}: there is no such hour") from error
    return _bound("--hour", text)


def closed_keys(now: datetime, trailing: int | None = None) -> list[str]:
    """Return the trailing closed hours, ascending; None: every hour that can be rated."""
    closed = _floor(now)
    first = FIRST_HOUR if trailing is None else max(FIRST_HOUR, closed - trailing * HOUR)
    return [key(first + place * HOUR) for place in range((closed - first) // HOUR)]


def due_keys(now: datetime, trailing: int) -> list[str]:
    """Return those of the trailing closed hours that closed more than two hours ago: rated they must be by now."""
    return [hour for hour in closed_keys(now, trailing) if start_of(hour) + HOUR + LATE_AFTER < now]


def late_keys(now: datetime, trailing: int, rated: Collection[str]) -> list[str]:
    """Return the due hours that are not among the rated ones, ascending."""
    return [hour for hour in due_keys(now, trailing) if hour not in rated]


def _bound(name: str, text: str) -> datetime:
    try:
        # Anything else is given to fromisoformat as what it surely refuses.
        instant = datetime.fromisoformat(text.upper() if _INSTANT.fullmatch(text) else "").astimezone(UTC)
    except (ValueError, OverflowError):
        raise WindowError(f"{name} {text}: is not an instant with its time zone, {_EXAMPLE}") from None
    if instant != _floor(instant):
        raise WindowError(f"{name} {text}: is not on a whole UTC hour, {_EXAMPLE}")
    return instant


def _floor(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _text(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
