"""The one error that leaves this package."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL could not do what was asked; the text says what happened and what to do next."""


@contextmanager
def system_errors(doing: str) -> Iterator[None]:
    """Turn a full disk, a missing permission and their like into an EmbeddedPostgresError that names the file."""
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(
            f"The embedded PostgreSQL failed while {doing}: {error}. Free the disk space or mend the permissions"
            " that this names, then try again."
        ) from error
