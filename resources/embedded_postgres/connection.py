"""How a client reaches the server: its URL, and whether it answers there."""

from urllib.parse import quote

import psycopg

from resources import sql_files
from resources.embedded_postgres.cluster import SUPERUSER
from resources.embedded_postgres.layout import PORT, Layout

PACKAGE = "resources.embedded_postgres"
_CONNECT_TIMEOUT_S = 5


def url(layout: Layout, dbname: str = "postgres") -> str:
    """Return a libpq and SQLAlchemy URL. It names the port so that a PGPORT in the environment does not redirect it."""
    host = quote(str(layout.socket_dir), safe="/")
    return f"postgresql://{SUPERUSER}@/{quote(dbname, safe='')}?host={host}&port={PORT}"


def answers(layout: Layout) -> bool:
    """Say whether a connection succeeds now, and ends at the server that keeps its data in this very directory."""
    try:
        with psycopg.connect(url(layout), connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            row = connection.execute(sql_files.load(PACKAGE, "select_data_directory")).fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and row[0] == str(layout.data)
