"""The state folder: creates it, and finds out why it cannot be used."""

import os
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

NEW_STATION_BYTES = 250 * 1024 * 1024
"""Free space that a new embedded server with the sample station needs: 110 MB measured, and as much again for its log."""

MINIMUM_BYTES = 32 * 1024 * 1024
"""Free space below which an existing server may fail to write: two segments of its write-ahead log."""

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - it is what is looked at
SHARED_MEMORY_BYTES = 128 * 1024 * 1024
"""Shared memory that the hash table of one parallel query may need; a container has 64 MB unless told otherwise."""

NETWORK_FILE_SYSTEMS = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "fuse.ceph", "fuse.davfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs",
    "fuse.sshfs", "fuse.vmhgfs-fuse", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs", "vboxsf",
})  # fmt: skip
"""Types, as Linux lists them, on which locks, fsync or permissions are not those of a local disk."""

_MOUNTS = Path("/proc/self/mountinfo")


@dataclass(frozen=True)
class Problem:
    """Why a folder cannot be used, and what to do about it; as text both in one sentence."""

    says: str
    advice: str

    def __str__(self) -> str:
        return f"{self.says}: {self.advice}"


def create(folder: Path) -> str | None:
    """Create a folder and its missing parents; return what prevents it.

    As a normal user they are private. As root every account may pass through them and none may list them, since PostgreSQL runs
    as another account.
    """
    if folder.is_dir():
        return None
    # mkdir -p in a child, because the umask belongs to the whole process and with a chmod afterwards a concurrent
    # starter could see a closed folder.
    umask = 0o066 if os.geteuid() == 0 else 0o077
    made = subprocess.run(  # noqa: S603 - a fixed program and a path
        ["/bin/mkdir", "-p", "--", str(folder)], umask=umask, cwd="/", capture_output=True, text=True, check=False
    )
    return made.stderr.strip().splitlines()[-1] if made.returncode else None


def make_private(folder: Path) -> None:
    """Create a folder, or close one of ours, so that only its owner can look into it, whatever the umask. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    entry = folder.stat()
    if entry.st_uid == os.geteuid() and entry.st_mode & 0o077:
        folder.chmod(0o700)


def open_to_others(folder: Path) -> bool:
    """Return whether other accounts may list a folder; False if it does not exist."""
    return folder.is_dir() and bool(folder.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def find_problem(home: Path, *, for_database: bool, creating: bool = True) -> Problem | None:
    """Return why this folder cannot hold the state.

    ``for_database`` says whether the embedded PostgreSQL keeps its data there: that needs a local disk with free space. A
    missing folder is created; without ``creating``, the folder that it would be created in is looked at.
    """
    reason = create(home) if creating else None
    place = existing(home)
    if reason := reason or _write_error(place):
        return Problem(
            f"{home} cannot be written ({reason})", "correct its permissions, or set WXYC_HOME to another folder"
        )
    return storage_problem(place, new=not (home / "postgres" / "data").exists()) if for_database else None


def storage_problem(folder: Path, *, new: bool) -> Problem | None:
    """Return why a database must not be in this folder; ``new`` if it is yet to be created."""
    if kind := network_file_system(folder):
        return Problem(
            f"{folder} is on a network file system ({kind}), which does not keep a database's files and locks safe",
            "set WXYC_HOME to a folder on a local disk, or DATABASE_URL to a server",
        )
    free, needed = shutil.disk_usage(folder).free, NEW_STATION_BYTES if new else MINIMUM_BYTES
    if free < needed:
        return Problem(
            f"the disk of {folder} is full ({_megabytes(free)} free, {_megabytes(needed)} needed)",
            "free some space, or set WXYC_HOME to a folder on another disk",
        )
    return None


def shared_memory_problem(folder: Path = SHARED_MEMORY) -> Problem | None:
    """Return why the shared memory of this machine, or of this container, is too small for the embedded PostgreSQL."""
    if not folder.is_dir():  # macOS has none as a folder
        return None
    free = shutil.disk_usage(folder).free
    if free >= SHARED_MEMORY_BYTES:
        return None
    return Problem(
        f"{folder} has only {_megabytes(free)} free: a parallel query of the embedded PostgreSQL takes up to "
        f"{_megabytes(SHARED_MEMORY_BYTES)} there, and fails",
        "give the container more (docker run --shm-size=256m; Compose: shm_size), or set DATABASE_URL to a server",
    )


def existing(folder: Path) -> Path:
    """Return the folder, or the innermost folder above it that exists."""
    return next(place for place in (folder, *folder.parents) if place.is_dir())


def network_file_system(folder: Path, mounts: Path = _MOUNTS) -> str | None:
    """Return the type of the network file system that an existing folder is on; None on a local one, or if unknown."""
    if not mounts.exists():
        return None
    place = Path(os.path.realpath(folder))
    kinds = {}
    for line in mounts.read_text().splitlines():
        mounted, _, source = line.partition(" - ")
        mount_point = Path(mounted.split()[4].encode().decode("unicode_escape"))  # a space in it is written \040
        if place.is_relative_to(mount_point):
            kinds[len(mount_point.parts)] = source.split()[0]  # of several mounts on one folder the last one is seen
    kind = kinds[max(kinds)] if kinds else None
    return kind if kind in NETWORK_FILE_SYSTEMS else None


def _write_error(folder: Path) -> str | None:
    """Return why a file cannot be created in this folder. A full disk is not meant: it still takes an empty file."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def _megabytes(count: int) -> str:
    return f"{count // (1024 * 1024)} MB"
