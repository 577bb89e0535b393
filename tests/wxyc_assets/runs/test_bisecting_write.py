"""Of many rows that are written together, only the one that the database refuses is left out."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wxyc_assets import row_isolation
from wxyc_assets.row_isolation import database_problem, may_be_one_rows, write_isolating


@pytest.fixture
def connection(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE paper (word varchar(3) NOT NULL)")
        yield connection


class Scribe:
    """Writes words; counts how often it tried."""

    def __init__(self, connection):
        self.connection, self.tries = connection, 0

    def write(self, words):
        self.tries += 1
        with self.connection.transaction():
            for word in words:
                if not word.startswith("rejected"):
                    self.connection.execute("INSERT INTO paper VALUES (%s)", [word])

    @property
    def written(self):
        return [word for (word,) in self.connection.execute("SELECT word FROM paper")]


def rejected(word, error):
    return f"rejected {word}: {type(error).__name__}"


def test_rows_that_are_all_taken_are_written_in_one_go(connection):
    scribe = Scribe(connection)
    assert write_isolating(connection, ["a", "b"], scribe.write, rejected) == ["a", "b"]
    assert (scribe.written, scribe.tries) == (["a", "b"], 1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.sampled_from(["a", "bcd", "long", "longer"]), max_size=12))
def test_exactly_the_refused_rows_are_left_out_and_the_order_stays(connection, words):
    connection.execute("TRUNCATE paper")
    scribe = Scribe(connection)
    result = write_isolating(connection, words, scribe.write, rejected)
    assert scribe.written == [word for word in words if len(word) <= 3]
    assert result == [word if len(word) <= 3 else f"rejected {word}: StringDataRightTruncation" for word in words]


def test_one_row_of_many_costs_a_logarithm_of_attempts(connection):
    scribe = Scribe(connection)
    write_isolating(connection, ["a"] * 63 + ["long"], scribe.write, rejected)
    assert scribe.tries <= 15


def test_a_fault_that_is_no_rows_is_raised_and_nobody_is_blamed(connection):
    connection.execute("DROP TABLE paper")
    with pytest.raises(psycopg.errors.UndefinedTable):
        write_isolating(connection, ["a", "b"], Scribe(connection).write, rejected)


def test_a_connection_that_died_is_raised_and_nobody_is_blamed(connection):
    def die(_words):
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(psycopg.OperationalError):
        write_isolating(connection, ["a", "b"], die, rejected)


@pytest.mark.parametrize("error", row_isolation.IN_EACH_OTHERS_WAY)
def test_whoever_was_in_the_way_is_waited_for_and_not_for_ever(connection, monkeypatch, error):
    monkeypatch.setattr(row_isolation, "RETRY_AFTER_S", 0.001)
    tries = []

    def stumble(words):
        tries.append(words)
        if len(tries) < 3:
            raise error

    assert write_isolating(connection, ["a"], stumble, rejected) == ["a"]
    assert len(tries) == 3

    def never(_words):
        tries.append(_words)
        raise error

    tries.clear()
    with pytest.raises(error):
        write_isolating(connection, ["a", "b"], never, rejected)
    assert len(tries) == row_isolation.WRITE_ATTEMPTS


@pytest.mark.parametrize(
    ("error", "one_rows"),
    [
        (psycopg.errors.StringDataRightTruncation, True),
        (psycopg.errors.NumericValueOutOfRange, True),
        (psycopg.errors.ForeignKeyViolation, True),
        (psycopg.errors.RaiseException, True),
        (psycopg.DataError, True),
        (psycopg.errors.QueryCanceled, False),
        (psycopg.errors.DiskFull, False),
        (psycopg.errors.InsufficientPrivilege, False),
        (psycopg.errors.AdminShutdown, False),
        (psycopg.OperationalError, False),
    ],
)
def test_only_what_one_row_can_have_done_is_blamed_on_rows(error, one_rows):
    assert may_be_one_rows(error("why")) is one_rows


def test_a_problem_is_one_line():
    assert database_problem(psycopg.OperationalError("gone\nreally")) == "database: OperationalError: gone"
    assert database_problem(psycopg.OperationalError("")) == "database: OperationalError: no message"
