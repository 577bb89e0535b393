"""What a container starts with: refuses what a service must not run without, tells Dagster its storage, becomes its command.

    python entrypoint.py COMMAND [ARGUMENT]...

Needs nothing but the standard library, so that a health check costs no more than its command.
"""  # noqa: INP001  # a script

import os
import sys
from collections.abc import Mapping

NEEDED = "DAGSTER_DATABASE_URL"
STORAGE = "WXYC_DAGSTER_STORAGE_URL"
"""What dagster.yaml reads, and `wxyc` sets for itself."""


def storage_url(environ: Mapping[str, str]) -> str:
    """Return Dagster's storage as SQLAlchemy wants it: a bare postgresql:// would pick psycopg 3, and fail on its first write.

    Raises ValueError if it is not configured: Dagster would fail later, and `wxyc` would fall back to a PostgreSQL of its own.
    """
    scheme, separator, rest = environ.get(NEEDED, "").strip().partition("://")
    if not separator or scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"{NEEDED}: must be a postgresql:// URL; a service has no database of its own")
    return f"postgresql+psycopg2://{rest}"


def main(command: list[str]) -> None:
    """Become the command, in this process."""
    if not command:
        sys.exit(str(__doc__))
    try:
        os.environ[STORAGE] = storage_url(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    try:
        os.execvp(command[0], command)  # noqa: S606  # the command is the container's own
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
