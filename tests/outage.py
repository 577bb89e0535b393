"""A database that stops in the middle of a run and stays down until the test ends the outage."""

import psycopg
from psycopg.sql import SQL, Identifier

from resources.postgres import Postgres


class Outage:
    """Ends every session of one database and refuses new ones until ``end``. ``admin_dsn`` is that of another database."""

    def __init__(self, admin_dsn: str, postgres: Postgres) -> None:
        self._admin_dsn = admin_dsn
        self._database = str(psycopg.conninfo.conninfo_to_dict(postgres.dsn)["dbname"])

    def begin(self) -> None:
        """Close the database."""
        with psycopg.connect(self._admin_dsn, autocommit=True) as admin:
            self._allow(admin, allowed="false")
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self._database])

    def end(self) -> None:
        """Open it again."""
        with psycopg.connect(self._admin_dsn, autocommit=True) as admin:
            self._allow(admin, allowed="true")

    def _allow(self, admin: psycopg.Connection, *, allowed: str) -> None:
        admin.execute(SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(Identifier(self._database), SQL(allowed)))
