"""Makes folders that the right account can enter, whatever the umask, and leaves alone those that were there."""

import os
import stat
import subprocess
from pathlib import Path

from resources.embedded_postgres.account import Account
from resources.embedded_postgres.errors import EmbeddedPostgresError


def make_reachable(folder: Path) -> None:
    """Create a folder and those missing above it: ours alone as a normal user, open to the server's account as root.

    Raises EmbeddedPostgresError if the folder is not ours: whoever owns it could swap what is inside.
    """
    if not folder.is_dir():
        # mkdir -p in a child, because the umask belongs to the whole process and chmod afterwards would leave a moment
        # in which a concurrent starter sees a closed folder.
        umask = 0o022 if os.geteuid() == 0 else 0o077
        made = subprocess.run(  # noqa: S603 - a fixed program and a path
            ["/bin/mkdir", "-p", "--", str(folder)], umask=umask, cwd="/", capture_output=True, text=True, check=False
        )
        if made.returncode:
            raise EmbeddedPostgresError(
                f"Cannot create {folder}: {made.stderr.strip()}. Choose another home, or mend its permissions."
            )
    require_ours(folder)


def require_ours(folder: Path) -> None:
    """Raise EmbeddedPostgresError if the folder belongs to another user or others may write in it."""
    entry = folder.lstat()
    if entry.st_uid != os.geteuid() or not stat.S_ISDIR(entry.st_mode) or entry.st_mode & stat.S_IWOTH:
        raise EmbeddedPostgresError(
            f"{folder} belongs to user id {entry.st_uid} (mode {stat.S_IMODE(entry.st_mode):o}), and this process runs"
            f" as {os.geteuid()}. Run this as that user, or choose another home."
        )


def make_private(folder: Path, account: Account) -> None:
    """Create a folder with mode 0700 that belongs to the account, or accept one that is exactly that.

    Raises EmbeddedPostgresError if something else is there: in a shared folder such as /tmp anyone may have laid it.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        entry = folder.lstat()
        if not stat.S_ISDIR(entry.st_mode) or entry.st_uid not in (account.uid, os.geteuid()) or entry.st_mode & 0o077:
            raise EmbeddedPostgresError(
                f"{folder} must be a folder with mode 0700 that belongs to user id {account.uid}, but it has mode"
                f" {stat.S_IMODE(entry.st_mode):o} and belongs to {entry.st_uid}. It is not used, because another user"
                " may have laid it. Remove it, then try again."
            ) from None
    if folder.lstat().st_uid != account.uid:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
