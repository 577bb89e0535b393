"""A PostgreSQL server of this project on this machine. ``EmbeddedPostgres`` is the entry point; no other module is public."""

from resources.embedded_postgres.binaries import psql_program
from resources.embedded_postgres.errors import EmbeddedPostgresError
from resources.embedded_postgres.launcher import EmbeddedPostgres
from resources.embedded_postgres.lease import Lease

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "Lease", "psql_program"]
