"""The one error that this package raises."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL failed; the text says what happened and what to do next."""


@contextmanager
def system_errors(doing: str) -> Iterator[None]:
    """Turn errors of the system (full disk, missing permission) into an EmbeddedPostgresError that names the file."""
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL failed while {doing}: {error}. Free disk space or correct the permissions"
            " of the named file, then try again."
        ) from error
