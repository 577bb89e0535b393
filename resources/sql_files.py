"""Loads SQL statements from the files beside the code that runs them."""

from functools import cache
from importlib.resources import files


@cache
def load(package: str, name: str) -> bytes:
    """Return the one statement in ``<package>/sql/<name>.sql``, as bytes, which psycopg's types accept as trusted SQL.

    Raises FileNotFoundError if the package has no such file.
    """
    return (files(package) / "sql" / f"{name}.sql").read_bytes()
