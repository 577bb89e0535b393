"""Reads the SQL that lives in files beside the code that runs it."""

from functools import cache
from importlib.resources import files


@cache
def load(package: str, name: str) -> bytes:
    """Return the one statement in ``<package>/sql/<name>.sql``, as bytes: what psycopg takes for a query it may trust.

    Raises FileNotFoundError if the package has no such file.
    """
    return (files(package) / "sql" / f"{name}.sql").read_bytes()
