"""Folders for the server: created for the right account, and refused if another user could change them."""

import os
import stat
from pathlib import Path

import pytest

from resources.embedded_postgres.account import Account
from resources.embedded_postgres.errors import EmbeddedPostgresError
from resources.embedded_postgres.folders import make_private, make_reachable, require_owned
from tests.resources.embedded_postgres.homes import ROOT, identity

OURS = Account(os.geteuid(), os.getegid())


def mode(folder) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_missing_folders_are_open_as_root_and_private_as_a_user(folder, child, umask):
    target = folder / "new" / "home"

    def make() -> None:
        os.umask(umask)
        make_reachable(target)

    child(make).result()
    assert {mode(target), mode(target.parent)} == {0o711 if ROOT else 0o700}


def test_an_existing_folder_stays_as_it_is(closed):
    before = identity(closed)
    make_reachable(closed)
    assert identity(closed) == before


def test_a_folder_that_cannot_be_created_is_named(user_does):
    def failing() -> None:
        with pytest.raises(EmbeddedPostgresError, match=r"Cannot create /wxyc-not-for-users.*[Pp]ermission"):
            make_reachable(Path("/wxyc-not-for-users/home"))

    user_does(failing)


def test_a_folder_that_others_can_change_is_refused(folder):
    require_owned(folder)
    folder.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match=r"belongs to user id .*Run this as that user"):
        require_owned(folder)
    folder.chmod(0o700)
    if ROOT:
        os.chown(folder, 12345, 12345)
        with pytest.raises(EmbeddedPostgresError, match=r"belongs to user id .*Run this as that user"):
            require_owned(folder)


def test_a_symbolic_link_to_a_folder_of_ours_is_refused(folder):
    (folder / "real").mkdir()
    (folder / "link").symlink_to(folder / "real")
    with pytest.raises(EmbeddedPostgresError, match="belongs to user id"):
        require_owned(folder / "link")


def test_a_private_folder_is_created_and_accepted_again(folder):
    for _ in range(2):
        make_private(folder / "socket", OURS)
    assert mode(folder / "socket") == 0o700


def test_a_private_folder_belongs_to_the_account(folder):
    account = Account(12345, 12345) if ROOT else OURS
    make_private(folder / "socket", account)
    assert (folder / "socket").stat().st_uid == account.uid


@pytest.mark.parametrize("trap", ["of another user", "open to all", "symbolic link", "file"])
def test_a_trap_in_place_of_a_private_folder_is_refused(folder, trap):
    place = folder / "socket"
    if trap == "symbolic link":
        (folder / "bait").mkdir(mode=0o700)
        place.symlink_to(folder / "bait")
    elif trap == "file":
        place.touch(mode=0o600)
    else:
        place.mkdir(mode=0o700)
        if trap == "of another user" and ROOT:
            os.chown(place, 12345, 12345)
        else:
            place.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match=f"{place} must be a folder with mode 0700 .* Remove it"):
        make_private(place, OURS)
