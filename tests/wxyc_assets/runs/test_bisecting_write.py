"""Of the rows of one batch, only those that the database refuses are left out."""

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wxyc_assets.runs import bisecting_write
from wxyc_assets.runs.bisecting_write import database_problem, may_be_one_rows, write_isolating


@pytest.fixture
def connection(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE paper (word varchar(3) NOT NULL)")
        yield connection


class WordWriter:
    """Writes words; counts its attempts."""

    def __init__(self, connection):
        self.connection, self.attempts = connection, 0

    def write(self, words):
        self.attempts += 1
        with self.connection.transaction():
            for word in words:
                if not word.startswith("rejected"):
                    self.connection.execute("INSERT INTO paper VALUES (%s)", [word])
        return [f"kept {word}" if word == "kept" else word for word in words]

    @property
    def written(self):
        return [word for (word,) in self.connection.execute("SELECT word FROM paper")]


def rejected(word, error):
    return f"rejected {word}: {type(error).__name__}"


def test_acceptable_rows_are_written_in_one_attempt(connection):
    writer = WordWriter(connection)
    assert write_isolating(connection, ["a", "b"], writer.write, rejected) == ["a", "b"]
    assert (writer.written, writer.attempts) == (["a", "b"], 1)


def test_items_are_returned_as_the_write_settled_them(connection):
    """Also the parts of a page that was bisected."""
    writer = WordWriter(connection)
    words = ["a", "kept", "longer", "b"]
    connection.execute("ALTER TABLE paper ALTER word TYPE varchar(4)")
    assert write_isolating(connection, words, writer.write, rejected) == [
        "a",
        "kept kept",
        "rejected longer: StringDataRightTruncation",
        "b",
    ]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.sampled_from(["a", "bcd", "long", "longer"]), max_size=12))
def test_only_refused_rows_are_left_out_and_order_is_kept(connection, words):
    connection.execute("TRUNCATE paper")
    writer = WordWriter(connection)
    result = write_isolating(connection, words, writer.write, rejected)
    assert writer.written == [word for word in words if len(word) <= 3]
    assert result == [word if len(word) <= 3 else f"rejected {word}: StringDataRightTruncation" for word in words]


def test_one_row_of_many_costs_a_logarithm_of_attempts(connection):
    writer = WordWriter(connection)
    write_isolating(connection, ["a"] * 63 + ["long"], writer.write, rejected)
    assert writer.attempts <= 15


def test_error_that_no_row_caused_is_raised(connection):
    connection.execute("DROP TABLE paper")
    with pytest.raises(psycopg.errors.UndefinedTable):
        write_isolating(connection, ["a", "b"], WordWriter(connection).write, rejected)


def test_lost_connection_is_raised(connection):
    def die(_words):
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(psycopg.OperationalError):
        write_isolating(connection, ["a", "b"], die, rejected)


@pytest.mark.parametrize("error", bisecting_write.LOCK_CONFLICTS)
def test_lock_conflict_is_retried_a_limited_number_of_times(connection, monkeypatch, error):
    monkeypatch.setattr(bisecting_write, "RETRY_AFTER_S", 0.001)
    tries = []

    def stumble(words):
        tries.append(words)
        if len(tries) < 3:
            raise error
        return words

    assert write_isolating(connection, ["a"], stumble, rejected) == ["a"]
    assert len(tries) == 3

    def never(_words):
        tries.append(_words)
        raise error

    tries.clear()
    with pytest.raises(error):
        write_isolating(connection, ["a", "b"], never, rejected)
    assert len(tries) == bisecting_write.WRITE_ATTEMPTS


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
def test_only_errors_that_one_row_can_cause_are_bisected(error, one_rows):
    assert may_be_one_rows(error("why")) is one_rows


def test_a_problem_is_one_line():
    assert database_problem(psycopg.OperationalError("gone\nreally")) == "database: OperationalError: gone"
    assert database_problem(psycopg.OperationalError("")) == "database: OperationalError: no message"
