"""The paths of a server's files, derived from its home alone."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from resources.embedded_postgres.account import default_account

PORT = 5432
_SOCKET_PATH_MAX_BYTES = 100  # the kernel accepts 107 (macOS 103), and clients append a few bytes
_SHORT_ROOT = Path("/tmp")  # noqa: S108 - short, whatever TMPDIR is; a folder in it that is not ours is refused
_PERSISTENT_ROOT = Path("/var/lib")


@dataclass(frozen=True)
class Layout:
    """The paths of one server.

    ``state`` is ``home/postgres``: the lock, the log, and ``data``. As root, if a folder above it is closed to the account that
    runs the server (home below a 0700 ``/root``), that folder stays as it is: the server's own files are in ``cluster``
    elsewhere, and ``state/data`` is a symbolic link to them. Removing the link (or home) disowns that data: the next start
    renames it and begins with an empty directory.
    """

    state: Path
    cluster: Path

    @property
    def data_entry(self) -> Path:
        """The data directory, or the symbolic link to it: data belongs to this home if this entry exists."""
        return self.state / "data"

    @property
    def has_data_entry(self) -> bool:
        """Whether this home has data, or a link to where its data will be."""
        return os.path.lexists(self.data_entry)

    @property
    def data(self) -> Path:
        """The data directory itself, as the server reports it."""
        return self.cluster / "data"

    @property
    def lock(self) -> Path:
        """The file that a process locks while it starts or stops the server."""
        return self.state / "lock"

    @property
    def users(self) -> Path:
        """The file that each lease of the server locks."""
        return self.state / "users"

    @property
    def until_unused(self) -> Path:
        """The file that exists if the server was started for leases, so that the last lease stops it."""
        return self.state / "until-unused"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.state / "server.log"

    @property
    def relocated(self) -> bool:
        """Whether the server's files are outside home."""
        return self.cluster != self.state

    @property
    def socket_dir(self) -> Path:
        """The folder of the unix socket: in the cluster, unless its path is too long or breaks libpq's list syntax."""
        folder = self.cluster / "socket"
        too_long = len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > _SOCKET_PATH_MAX_BYTES
        if too_long or any(letter in str(folder) for letter in ',"'):
            return _SHORT_ROOT / f"wxyc-pg-{_key(self.state)}"
        return folder


def layout_of(home: Path) -> Layout:
    """Return the layout of a home, existing or not: every spelling of its path gives the same result."""
    state = Path(os.path.realpath(home)) / "postgres"
    data_entry = state / "data"
    if os.path.islink(data_entry):  # noqa: PTH114 - Path.is_symlink raises without permission
        return Layout(state, data_entry.readlink().parent)
    if os.geteuid() != 0 or os.path.lexists(data_entry) or default_account().can_reach(state):
        return Layout(state, state)
    # Data of a home in /tmp may be as short-lived as /tmp; all other data must survive a reboot.
    root = _SHORT_ROOT if state.is_relative_to(_SHORT_ROOT.resolve()) else _PERSISTENT_ROOT
    return Layout(state, root / "wxyc-postgres" / _key(state))


def _key(state: Path) -> str:
    return hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
