"""The ports on which ``wxyc`` listens: only on this machine."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from wxyc_assets.cli.outcome import CannotError

HOST = "127.0.0.1"
HIGHEST = 65535
_BACKLOG = 2048


def require_port(number: int, option: str) -> None:
    """Raise CannotError if there is no such port."""
    if not 0 <= number <= HIGHEST:
        raise CannotError(f"{option} {number} is no port: choose one from 1 to {HIGHEST}, or 0 for any free one")


def taken(number: int, option: str, error: OSError) -> CannotError:
    """Return the error for a port on which this process may not listen."""
    return CannotError(
        f"port {number} cannot be used ({error.strerror}): choose another with {option}, or 0 for any free one"
    )


@contextmanager
def listening(number: int, option: str) -> Iterator[socket.socket]:
    """Listen on a port for the block, on any free one for 0; raises CannotError if that is not possible."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, number))
            listener.listen(_BACKLOG)
        except OSError as error:
            raise taken(number, option, error) from error
        yield listener
