"""The entry point of the container: checks the required setting, sets Dagster's storage, and executes the command.

    python entrypoint.py COMMAND [ARGUMENT]...

Uses only the standard library, so that a health check costs hardly more than its command.
"""  # noqa: INP001  # a script

import os
import sys
from collections.abc import Mapping

REQUIRED_VARIABLE = "DAGSTER_DATABASE_URL"
STORAGE_VARIABLE = "WXYC_DAGSTER_STORAGE_URL"
"""The variable that dagster.yaml reads; `wxyc` sets it for its own processes."""


def storage_url(environ: Mapping[str, str]) -> str:
    """Return the URL of Dagster's storage for SQLAlchemy, which with a bare postgresql:// picks psycopg 3 and fails to write.

    Raises ValueError if it is not configured: Dagster would fail later, and `wxyc` would fall back to an embedded PostgreSQL.
    """
    scheme, separator, rest = environ.get(REQUIRED_VARIABLE, "").strip().partition("://")
    if not separator or scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"{REQUIRED_VARIABLE}: must be a postgresql:// URL; a service has no embedded database")
    return f"postgresql+psycopg2://{rest}"


def main(command: list[str]) -> None:
    """Replace this process by the command."""
    if not command:
        sys.exit(str(__doc__))
    try:
        os.environ[STORAGE_VARIABLE] = storage_url(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    try:
        os.execvp(command[0], command)  # noqa: S606  # the command is the container's own
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
