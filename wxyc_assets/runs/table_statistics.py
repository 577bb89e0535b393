"""Updates the planner's statistics of a table after a bulk write."""

import psycopg
from psycopg.abc import Query

from resources.postgres import Postgres
from resources.step_log import StepLog


def analyze(postgres: Postgres, statement: Query, log: StepLog) -> None:
    """Execute an ANALYZE and log it, also if PostgreSQL skipped it, as it does for a role that does not own the table.

    Raises psycopg.OperationalError if the database cannot be reached.
    """
    warnings: list[str] = []

    def keep(notice: psycopg.errors.Diagnostic) -> None:
        warnings.append(notice.message_primary or "skipped")

    with postgres.connect() as connection:
        connection.add_notice_handler(keep)
        log.info("analyze_started")
        connection.execute(statement)
    if warnings:
        log.warning("analyze_skipped", message=f"{'; '.join(warnings)}; autovacuum or the owner must do it")
