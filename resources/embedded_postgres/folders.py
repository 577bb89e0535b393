"""Creates folders that the right account can enter, whatever the umask; never changes an existing folder."""

import os
import stat
from pathlib import Path

from resources import home_folder
from resources.embedded_postgres.account import Account
from resources.embedded_postgres.errors import EmbeddedPostgresError


def make_reachable(folder: Path) -> None:
    """Create a folder and its missing parents: private as a normal user, open to the server's account as root.

    Raises EmbeddedPostgresError if the folder is not ours: its owner could replace its contents.
    """
    if reason := home_folder.create(folder):
        raise EmbeddedPostgresError(
            f"Cannot create {folder}: {reason}. Choose another home, or correct its permissions."
        )
    require_owned(folder)


def require_owned(folder: Path) -> None:
    """Raise EmbeddedPostgresError if the folder belongs to another user, or if others may write to it."""
    entry = folder.lstat()
    if entry.st_uid != os.geteuid() or not stat.S_ISDIR(entry.st_mode) or entry.st_mode & stat.S_IWOTH:
        raise EmbeddedPostgresError(
            f"{folder} belongs to user id {entry.st_uid} (mode {stat.S_IMODE(entry.st_mode):o}), and this process runs"
            f" as {os.geteuid()}. Run this as that user, or choose another home."
        )


def make_private(folder: Path, account: Account) -> None:
    """Create a folder with mode 0700 that belongs to the account, or accept an existing one with this mode and owner.

    Raises EmbeddedPostgresError if anything else is there: in a shared folder such as /tmp any user can have created it.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        entry = folder.lstat()
        if not stat.S_ISDIR(entry.st_mode) or entry.st_uid not in (account.uid, os.geteuid()) or entry.st_mode & 0o077:
            raise EmbeddedPostgresError(
                f"{folder} must be a folder with mode 0700 that belongs to user id {account.uid}, but it has mode"
                f" {stat.S_IMODE(entry.st_mode):o} and belongs to {entry.st_uid}. It is not used, because another user"
                " may have created it. Remove it, then try again."
            ) from None
    if folder.lstat().st_uid != account.uid:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)
