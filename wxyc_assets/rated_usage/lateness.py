"""Which hours should have been rated by now and are not, for runs and for whoever watches them."""

from datetime import datetime

import psycopg

from wxyc_assets.rated_usage import store
from wxyc_assets.rated_usage.windows import due_keys, late_keys


def late_hours(connection: psycopg.Connection, now: datetime, trailing: int) -> list[str]:
    """Return the hours of the trailing ones that closed more than two hours before ``now`` and that no run has rated."""
    due = due_keys(now, trailing)
    return late_keys(now, trailing, store.rated_hours(connection, due))
