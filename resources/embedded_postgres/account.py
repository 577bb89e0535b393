"""The operating-system account that runs the server: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from resources.embedded_postgres.errors import EmbeddedPostgresError

_ACCOUNTS_IN_PLACE_OF_ROOT = ("postgres", "nobody")


class ChildIdentity(TypedDict, total=False):
    """The arguments that make ``subprocess`` run a child as another account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """A user and its primary group; the server gets no supplementary groups."""

    uid: int
    gid: int

    def child_identity(self) -> ChildIdentity:
        """Return the arguments with which ``subprocess`` runs a child as this account: none if it is our own."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_reach(self, folder: Path) -> bool:
        """Return whether the permission bits of the folder and of its parents let this account in; missing folders do.

        Always True for our own account: group memberships and access lists permit more than the bits show.
        """
        if self.uid == os.geteuid():
            return True
        return all(self._may_search(each.stat()) for each in (folder, *folder.parents) if os.path.lexists(each))

    def _may_search(self, entry: os.stat_result) -> bool:
        if entry.st_uid == self.uid:
            return bool(entry.st_mode & stat.S_IXUSR)
        return bool(entry.st_mode & (stat.S_IXGRP if entry.st_gid == self.gid else stat.S_IXOTH))


def default_account() -> Account:
    """Return the account for a new server: our own, or as root an account that the machine already has.

    Raises EmbeddedPostgresError as root without such an account; this code creates none.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    for name in _ACCOUNTS_IN_PLACE_OF_ROOT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and this machine has neither an account 'postgres' nor 'nobody' to run it"
        " as. Add one (useradd --system postgres), or run this as a normal user."
    )


def account_of(data: Path) -> Account:
    """Return the account that must run the server of this data directory: its owner, if it exists."""
    try:
        entry = data.stat()
    except FileNotFoundError:
        return default_account()
    if os.geteuid() != 0 or entry.st_uid == 0:
        return default_account()
    return Account(entry.st_uid, entry.st_gid)
