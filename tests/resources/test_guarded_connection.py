"""A guarded session executes and commits nothing that its guard refuses."""

from dataclasses import replace

import psycopg
import pytest
from psycopg.rows import dict_row

from resources.postgres import Postgres


class Guard:
    """Counts its calls, and refuses them after a number of calls."""

    def __init__(self) -> None:
        self.calls, self.allowed = 0, 1_000_000

    def __call__(self) -> None:
        self.calls += 1
        if self.calls > self.allowed:
            raise psycopg.OperationalError("refused")

    def refuse_after(self, calls: int) -> None:
        self.allowed = self.calls + calls


@pytest.fixture
def guard():
    return Guard()


@pytest.fixture
def postgres(database, guard):
    guarded = replace(Postgres(database), guard=guard)
    with guarded.connect() as connection:
        connection.execute("CREATE TABLE t (n int)")
    return guarded


def _rows(postgres):
    with replace(postgres, guard=None).connect() as connection:
        return [row[0] for row in connection.execute("SELECT n FROM t ORDER BY n")]


def test_a_statement_that_the_guard_refuses_is_not_executed(postgres, guard):
    with postgres.connect() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        guard.refuse_after(0)
        with pytest.raises(psycopg.OperationalError, match="refused"):
            connection.execute("INSERT INTO t VALUES (2)")
    assert _rows(postgres) == [1]


@pytest.mark.parametrize("row_factory", [None, dict_row])
def test_a_cursor_asks_the_guard_as_well(postgres, guard, row_factory):
    with postgres.connect() as connection, connection.cursor(row_factory=row_factory) as cursor:
        guard.refuse_after(0)
        with pytest.raises(psycopg.OperationalError, match="refused"):
            cursor.execute("INSERT INTO t VALUES (2)")
    assert _rows(postgres) == []


def test_a_transaction_is_rolled_back_if_refused_at_its_commit(postgres, guard):
    def insert_two():
        with postgres.connect() as connection, connection.transaction():
            guard.refuse_after(2)
            connection.execute("INSERT INTO t VALUES (1)")
            connection.execute("INSERT INTO t VALUES (2)")

    with pytest.raises(psycopg.OperationalError, match="refused"):
        insert_two()
    assert _rows(postgres) == []


def test_the_guard_allows_what_it_does_not_refuse(postgres, guard):
    calls = guard.calls
    with postgres.connect() as connection, connection.transaction(), connection.pipeline():
        connection.execute("INSERT INTO t VALUES (1)")
    assert _rows(postgres) == [1]
    assert guard.calls > calls + 1


def test_a_session_without_guard_executes_everything(postgres, guard):
    guard.refuse_after(0)
    with replace(postgres, guard=None).connect() as connection, connection.transaction():
        connection.execute("INSERT INTO t VALUES (1)")
    assert _rows(postgres) == [1]
