from dataclasses import replace

import psycopg
import pytest

from resources.postgres import Postgres, connect_error_advice


@pytest.fixture
def postgres(database):
    return Postgres(database)


def _setting(connection, name):
    return connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TimeZone", "UTC"),
        ("statement_timeout", "1min"),
        ("application_name", "wxyc_assets"),
        ("search_path", "wxyc_schema, public"),
        ("jit", "off"),
    ],
)
def test_every_session_behaves_alike(postgres, name, value):
    with postgres.connect() as connection:
        assert _setting(connection, name) == value


def test_every_execution_is_planned_with_its_parameters(postgres):
    with postgres.connect() as connection:
        for flag in [False] * 20:
            connection.execute("SELECT %s::bool", [flag])
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_a_session_keeps_utc_whatever_the_database_says(postgres):
    with postgres.connect() as connection:
        name = connection.info.dbname
        connection.execute(
            psycopg.sql.SQL("ALTER DATABASE {} SET timezone TO 'Asia/Kolkata'").format(psycopg.sql.Identifier(name))
        )
    with postgres.connect() as connection:
        assert _setting(connection, "TimeZone") == "UTC"


def test_a_stuck_query_is_ended(postgres):
    with (
        replace(postgres, statement_timeout_ms=50).connect() as connection,
        pytest.raises(psycopg.errors.QueryCanceled),
    ):
        connection.execute("SELECT pg_sleep(10)")


def test_schemas_are_names_and_never_sql(postgres):
    odd = replace(postgres, schemas=('x"; DROP SCHEMA public', "public"))
    with odd.connect() as connection:
        assert connection.execute("SELECT current_schemas(false)").fetchone() == (["public"],)


def test_a_statement_is_committed_at_once_and_a_transaction_as_a_whole(postgres):
    with postgres.connect() as connection, postgres.connect() as other:
        connection.execute("CREATE TABLE t (n int)")
        with connection.transaction():
            connection.execute("INSERT INTO t VALUES (1)")
            raise psycopg.Rollback
        connection.execute("INSERT INTO t VALUES (2)")
        assert other.execute("SELECT n FROM t").fetchall() == [(2,)]


def test_a_session_is_closed_however_its_use_ends(postgres):
    with pytest.raises(RuntimeError), postgres.connect() as connection:
        raise RuntimeError
    assert connection.closed


def test_a_session_that_cannot_be_set_up_is_closed(postgres):
    impossible = replace(postgres, schemas=())
    with pytest.raises(psycopg.errors.SyntaxError):
        impossible.open()
    with postgres.connect() as connection:
        assert connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone() == (0,)


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("postgresql://u:hunter2@db.example.org:5433/station", "station at db.example.org:5433"),
        ("postgresql:///station?password=hunter2", "station at localhost:5432"),
    ],
)
def test_a_password_is_in_no_text(dsn, said):
    postgres = Postgres(dsn)
    assert postgres.where() == said
    assert "hunter2" not in f"{postgres!r} {postgres}"


def test_a_refused_connection_says_what_to_do_and_no_password(tmp_path):
    postgres = Postgres(f"postgresql://u:hunter2@/station?host={tmp_path}&port=1")
    with pytest.raises(psycopg.OperationalError) as caught:
        postgres.open()
    advice = connect_error_advice(caught.value, postgres)
    assert advice.startswith(f"the database station at {tmp_path}:1 cannot be reached: ")
    assert "DATABASE_URL" in advice
    assert "hunter2" not in advice
