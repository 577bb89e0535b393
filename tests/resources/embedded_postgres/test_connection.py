"""The server's URL, and whether the server of this data directory answers there."""

import psycopg
import pytest
import sqlalchemy

from resources.embedded_postgres.connection import accepts_connections, url
from resources.embedded_postgres.layout import Layout
from tests.resources.embedded_postgres.homes import layout, one


def test_the_url_quotes_folder_and_database(tmp_path):
    place = Layout(tmp_path / "a b", tmp_path / "a b")
    assert url(place, "x/y z") == f"postgresql://wxyc@/x%2Fy%20z?host={tmp_path}/a%20b/socket&port=5432"


@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_the_url_serves_both_sqlalchemy_drivers(shared, driver):
    engine = sqlalchemy.create_engine(shared.dsn().replace("postgresql://", f"postgresql+{driver}://"))
    with engine.connect() as connection:
        query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(sqlalchemy.text(query)).scalar() is True
    engine.dispose()


def test_variables_of_the_environment_do_not_redirect_the_url(shared, monkeypatch):
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere.invalid", "PGUSER": "root", "PGDATABASE": "no"}.items():
        monkeypatch.setenv(name, value)
    assert one(shared, "SELECT current_user::text, current_database()::text") == ("wxyc", "postgres")


def test_a_server_that_runs_accepts_connections(shared):
    assert accepts_connections(layout(shared))


def test_without_a_server_there_is_no_connection(folder):
    assert not accepts_connections(Layout(folder, folder))


def test_a_server_with_another_data_directory_is_not_accepted(shared, folder, at):
    ours = folder / "home" / "postgres"
    (ours / "data").mkdir(parents=True)
    (ours / "socket").symlink_to(layout(shared).socket_dir)
    server = at(folder / "home")
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not accepts_connections(layout(server))
    assert not server.running()
