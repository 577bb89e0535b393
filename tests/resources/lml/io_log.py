"""A database with the station's table ``io_log``, and what a capture or a writer did with it."""

from typing import Any

import psycopg
from psycopg.rows import dict_row

from resources.lml.capture import Capture

TABLE = """
CREATE TABLE io_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_id varchar(255) NOT NULL,
  auth_id varchar(64), user_id varchar(32), group_id varchar(32), resource_id varchar(64), resource_type varchar(64),
  model varchar(255),
  request_body text, request_truncated boolean NOT NULL DEFAULT false,
  response_body text, response_truncated boolean NOT NULL DEFAULT false,
  status_code integer, streamed boolean NOT NULL DEFAULT false, latency_ms bigint,
  created_at timestamptz NOT NULL DEFAULT now(), body_tsv tsvector);
CREATE INDEX ON io_log USING gin (body_tsv);
"""

DRAIN_TIMEOUT_S = 120.0
"""Time to write what is queued, however busy the machine is."""


class IoLog:
    """A database with io_log, and captures into it whose warnings are recorded as (step, message, fields)."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.warnings: list[tuple[str, str, dict[str, Any]]] = []
        with psycopg.connect(dsn) as connection:
            connection.execute(TABLE)

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.dsn)

    def warn(self, step: str, message: str, **fields: Any) -> None:
        self.warnings.append((step, message, fields))

    def capture(self, sample_rate: float = 1, **overrides: Any) -> Capture:
        connect = overrides.pop("connect", self.connect)
        return Capture(connect, sample_rate=sample_rate, warn=self.warn, **overrides)

    def rows(self) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            return connection.execute("SELECT * FROM io_log ORDER BY id").fetchall()

    def request_ids(self) -> list[str]:
        return [row["request_id"] for row in self.rows()]

    @property
    def steps(self) -> list[str]:
        return [step for step, _, _ in self.warnings]


def refuse() -> psycopg.Connection:
    """Fail as a database does that is not there, with a password in the text."""
    raise psycopg.OperationalError("connection to server failed: password=hunter2")
