"""The server's log file: its rotation, and its last lines for errors."""

import os
from pathlib import Path
from typing import IO

_ROTATE_BYTES = 16 * 1024 * 1024
_TAIL_BYTES = 4096
_TAIL_LINES = 12


def append(log: Path) -> IO[bytes]:
    """Open the log for a new server, readable by our account only; a large log is first moved to ``server.log.1``."""
    if size(log) > _ROTATE_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600), "ab")


def size(log: Path) -> int:
    """Return the log's length in bytes, 0 without a log."""
    return log.stat().st_size if log.exists() else 0


def tail(log: Path, since: int = 0) -> str:
    """Return the last lines after the position ``since`` (bytes); of the whole log if it was rotated since."""
    if not log.exists():
        return ""
    with log.open("rb") as stream:
        end = stream.seek(0, os.SEEK_END)
        stream.seek(max(since if since <= end else 0, end - _TAIL_BYTES))
        return "\n".join(stream.read().decode(errors="replace").splitlines()[-_TAIL_LINES:])


def quoted(log: Path, since: int = 0) -> str:
    """Return the end of an error text: the path of the log, and its last lines."""
    lines = tail(log, since)
    return f"\nServer log: {log}\n{lines}" if lines else f"\nServer log: {log} (nothing was added to it)"
