"""The settings of sessions, and messages about the database without its password."""

from contextlib import suppress
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
def test_every_session_has_the_same_settings(postgres, name, value):
    with postgres.connect() as connection:
        assert _setting(connection, name) == value


def test_every_execution_is_planned_with_its_parameters(postgres):
    with postgres.connect() as connection:
        for flag in [False] * 20:
            connection.execute("SELECT %s::bool", [flag])
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_a_session_is_in_utc_whatever_the_database_is_set_to(postgres):
    with postgres.connect() as connection:
        name = connection.info.dbname
        connection.execute(
            psycopg.sql.SQL("ALTER DATABASE {} SET timezone TO 'Asia/Kolkata'").format(psycopg.sql.Identifier(name))
        )
    with postgres.connect() as connection:
        assert _setting(connection, "TimeZone") == "UTC"


def test_a_stuck_query_is_cancelled(postgres):
    with (
        replace(postgres, statement_timeout_ms=1000).connect() as connection,
        pytest.raises(psycopg.errors.QueryCanceled),
    ):
        connection.execute("SELECT pg_sleep(240)")


def test_schemas_are_names_and_never_sql(postgres):
    odd = replace(postgres, schemas=('x"; DROP SCHEMA public', "public"))
    with odd.connect() as connection:
        assert connection.execute("SELECT current_schemas(false)").fetchone() == (["public"],)


def test_a_statement_commits_at_once_a_transaction_as_a_whole(postgres):
    with postgres.connect() as connection, postgres.connect() as other:
        connection.execute("CREATE TABLE t (n int)")
        with suppress(ZeroDivisionError), connection.transaction():
            connection.execute("INSERT INTO t VALUES (1)")
            1 / 0  # noqa: B018 - it rolls the transaction back
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
    assert postgres.location() == said
    assert "hunter2" not in f"{postgres!r} {postgres}"


def test_a_refused_connection_says_what_to_do_and_no_password(tmp_path):
    postgres = Postgres(f"postgresql://u:hunter2@/station?host={tmp_path}&port=1")
    with pytest.raises(psycopg.OperationalError) as caught:
        postgres.open()
    advice = connect_error_advice(caught.value, postgres)
    assert advice.startswith(f"the database station at {tmp_path}:1 cannot be reached: ")
    assert "DATABASE_URL" in advice
    assert "hunter2" not in advice


HOST = 'connection failed: connection to server at "h", port 9 failed: '


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"{HOST}Connection refused\n\tIs the server running on that host?", "Connection refused"),
        (f'{HOST}FATAL:  database "x" does not exist', 'FATAL:  database "x" does not exist'),
        (
            f"Multiple connection attempts failed. All failures were:\n- host: 'h': {HOST}No route to host",
            "No route to host",
        ),
        ("connection timeout expired.", "connection timeout expired"),
        ("", "OperationalError"),
    ],
)
def test_the_reason_is_that_of_the_server_in_one_line(text, reason):
    advice = connect_error_advice(psycopg.OperationalError(text), Postgres("postgresql://h:9/x"))
    assert advice.startswith(f"the database x at h:9 cannot be reached: {reason}. Start it")


@pytest.mark.parametrize(
    ("parameters", "idle_s"), [("", "30"), ("&keepalives_idle=7", "7"), ("&keepalives=0&keepalives_idle=8", "8")]
)
def test_a_session_sends_keepalives_as_the_dsn_says_or_in_30_s(database, parameters, idle_s):
    with Postgres(f"{database}{parameters}").connect() as connection:
        set_in = {option.keyword.decode(): option.val and option.val.decode() for option in connection.pgconn.info}
    assert (set_in["keepalives_idle"], set_in["tcp_user_timeout"]) == (idle_s, "30000")
    assert set_in["keepalives"] == ("0" if "keepalives=0" in parameters else "1")
