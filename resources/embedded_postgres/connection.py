"""The URL of the server, and whether the server accepts connections there."""

from urllib.parse import quote

import psycopg

from resources import sql_files
from resources.embedded_postgres.cluster import SUPERUSER
from resources.embedded_postgres.layout import PORT, Layout

PACKAGE = "resources.embedded_postgres"
_CONNECT_TIMEOUT_S = 5


def url(layout: Layout, dbname: str = "postgres", user: str = SUPERUSER) -> str:
    """Return a libpq and SQLAlchemy URL. It names the port so that a PGPORT in the environment has no effect."""
    host = quote(str(layout.socket_dir), safe="/")
    return f"postgresql://{user}@/{quote(dbname, safe='')}?host={host}&port={PORT}"


def accepts_connections(layout: Layout) -> bool:
    """Return whether a connection succeeds now and reaches the server of this data directory."""
    try:
        with psycopg.connect(url(layout), connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            row = connection.execute(sql_files.load(PACKAGE, "select_data_directory")).fetchone()
    except psycopg.OperationalError:
        return False
    return row is not None and row[0] == str(layout.data)
