"""Where a server's files are, derived from its home alone."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from resources.embedded_postgres.account import default_account

PORT = 5432
_SOCKET_PATH_MAX_BYTES = 100  # the kernel takes 107 (macOS 103), and clients add a little of their own
_SHORT_ROOT = Path("/tmp")  # noqa: S108 - short, whatever TMPDIR says; folders in it are refused unless ours
_PERSISTENT_ROOT = Path("/var/lib")


@dataclass(frozen=True)
class Layout:
    """The places of one server.

    ``state`` is ``home/postgres``: the lock, the log, and ``data``. As root, when a folder above it is closed to the
    account that runs the server (home below a 0700 ``/root``), that folder is left as it is: the files that the server
    touches live in ``cluster`` elsewhere, and ``state/data`` is a symbolic link that says where. Removing
    the link (or home) disowns that data: the next start sets it aside beside the new and begins with an empty one.
    """

    state: Path
    cluster: Path

    @property
    def record(self) -> Path:
        """The data directory, or the symbolic link to it: what makes data belong to this home."""
        return self.state / "data"

    @property
    def recorded(self) -> bool:
        """Whether this home has data, or has said where it will be."""
        return os.path.lexists(self.record)

    @property
    def data(self) -> Path:
        """The data directory, as the server reports it."""
        return self.cluster / "data"

    @property
    def lock(self) -> Path:
        """The file that whoever starts or stops the server holds locked."""
        return self.state / "lock"

    @property
    def log(self) -> Path:
        """What the server had to say."""
        return self.state / "server.log"

    @property
    def relocated(self) -> bool:
        """Whether the server's files are outside home."""
        return self.cluster != self.state

    @property
    def socket_dir(self) -> Path:
        """The folder of the unix socket: in the cluster, unless a socket's path or libpq's list syntax forbids it."""
        folder = self.cluster / "socket"
        too_long = len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > _SOCKET_PATH_MAX_BYTES
        if too_long or any(letter in str(folder) for letter in ',"'):
            return _SHORT_ROOT / f"wxyc-pg-{_key(self.state)}"
        return folder


def layout_of(home: Path) -> Layout:
    """Return the layout of a home, whether it exists or not: the same answer from every spelling of its path."""
    state = Path(os.path.realpath(home)) / "postgres"
    record = state / "data"
    if os.path.islink(record):  # noqa: PTH114 - Path.is_symlink raises where we may not look
        return Layout(state, record.readlink().parent)
    if os.geteuid() != 0 or os.path.lexists(record) or default_account().can_reach(state):
        return Layout(state, state)
    # What is as short-lived as /tmp stays in it; everything else must survive a reboot.
    root = _SHORT_ROOT if state.is_relative_to(_SHORT_ROOT.resolve()) else _PERSISTENT_ROOT
    return Layout(state, root / "wxyc-postgres" / _key(state))


def _key(state: Path) -> str:
    return hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
