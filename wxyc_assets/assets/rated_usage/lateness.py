"""Which hours should be rated by now and are not, for the check of a run and for the monitoring."""

from datetime import datetime

import psycopg

from wxyc_assets.assets.rated_usage import store
from wxyc_assets.runs.partitions import due_keys


def late_hours(connection: psycopg.Connection, now: datetime, trailing: int, billing_start: datetime) -> list[str]:
    """Return the trailing hours that closed more than two hours before ``now`` and that no run has rated."""
    due = due_keys(now, trailing, billing_start)
    rated = store.rated_hours(connection, due)
    return [hour for hour in due if hour not in rated]
