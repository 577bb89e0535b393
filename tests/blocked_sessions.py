"""Waits until a database session is blocked by another."""

import psycopg

from resources.postgres import Postgres
from tests.waiting import wait_for


def wait_until_blocked(postgres: Postgres, by: psycopg.Connection) -> None:
    """Wait until a session waits for a lock that ``by`` holds."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
    with postgres.connect() as connection:
        wait_for(
            lambda: connection.execute(query, [by.info.backend_pid]).fetchone() != (0,),
            "session that waits for a lock of the other",
        )
