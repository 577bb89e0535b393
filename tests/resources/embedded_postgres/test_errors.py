"""Errors of the system leave the package as its one error."""

import subprocess

import pytest

from resources.embedded_postgres.errors import EmbeddedPostgresError, system_errors


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (PermissionError(13, "Permission denied", "/var/lib/x"), "/var/lib/x"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (subprocess.CalledProcessError(1, "/bin/sh"), "/bin/sh"),
    ],
)
def test_an_error_of_the_system_names_what_was_being_done(error, named):
    with (
        pytest.raises(EmbeddedPostgresError, match="failed while starting in /home/x") as caught,
        system_errors("starting in /home/x"),
    ):
        raise error
    assert named in str(caught.value)
    assert caught.value.__cause__ is error


def test_any_other_error_passes_unchanged():
    with pytest.raises(ZeroDivisionError), system_errors("starting"):
        raise ZeroDivisionError
