"""A PostgreSQL of our own on this machine: ``EmbeddedPostgres`` is the entry point, all else here is its inside."""

from resources.embedded_postgres.errors import EmbeddedPostgresError
from resources.embedded_postgres.launcher import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
