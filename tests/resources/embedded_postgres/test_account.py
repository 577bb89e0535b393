"""The account of the server: our own, or as root another one; and which folders it can reach."""

import os
import pwd
from types import SimpleNamespace

import pytest

from resources.embedded_postgres.account import Account, account_of, default_account
from resources.embedded_postgres.errors import EmbeddedPostgresError

OURS = Account(os.geteuid(), os.getegid())
OTHER = Account(os.geteuid() + 4321, os.getegid() + 4321)


@pytest.fixture
def as_root(monkeypatch):
    """Makes this process look like root's on a machine with the given accounts, as name=(uid, gid)."""

    def pretend(**accounts: tuple[int, int]) -> None:
        def getpwnam(name: str) -> SimpleNamespace:
            uid, gid = accounts[name]
            return SimpleNamespace(pw_uid=uid, pw_gid=gid)

        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(pwd, "getpwnam", getpwnam)

    return pretend


def test_a_normal_user_runs_the_server_itself(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setattr(os, "getegid", lambda: 1235)
    assert default_account() == Account(1234, 1235)


def test_root_prefers_the_account_postgres(as_root):
    as_root(nobody=(65534, 65534), postgres=(26, 27))
    assert default_account() == Account(26, 27)


def test_root_without_an_account_postgres_takes_nobody(as_root):
    as_root(nobody=(65534, 65533))
    assert default_account() == Account(65534, 65533)


def test_root_without_any_such_account_must_add_one(as_root):
    as_root()
    with pytest.raises(EmbeddedPostgresError, match=r"neither an account 'postgres' nor 'nobody'.*useradd"):
        default_account()


def test_a_child_of_our_own_account_needs_no_arguments():
    assert OURS.child_identity() == {}
    assert OTHER.child_identity() == {"user": OTHER.uid, "group": OTHER.gid, "extra_groups": []}


@pytest.mark.parametrize(("mode", "reachable"), [(0o755, True), (0o711, True), (0o750, False), (0o744, False)])
def test_another_account_needs_search_permission_on_every_folder(folder, mode, reachable):
    (folder / "above" / "home").mkdir(parents=True)
    (folder / "above" / "home").chmod(0o755)
    (folder / "above").chmod(mode)
    assert OTHER.can_reach(folder / "above" / "home") is reachable
    assert OURS.can_reach(folder / "above" / "home")


def test_the_permission_of_the_group_counts_for_members_only(folder):
    folder.chmod(0o710)
    group = folder.stat().st_gid
    assert Account(OTHER.uid, group).can_reach(folder)
    folder.chmod(0o701)
    assert not Account(OTHER.uid, group).can_reach(folder)
    assert OTHER.can_reach(folder)


def test_a_missing_folder_is_reachable_if_its_parents_are(folder):
    assert OTHER.can_reach(folder / "missing" / "home")
    folder.chmod(0o700)
    assert not OTHER.can_reach(folder / "missing" / "home")


def test_the_owner_of_the_data_runs_its_server(as_root, tmp_path, monkeypatch):
    data = tmp_path / "data"
    as_root(postgres=(26, 27))
    assert account_of(data) == Account(26, 27)  # of new data
    data.mkdir()
    if data.stat().st_uid == 0:
        os.chown(data, 70, 71)
    assert account_of(data) == Account(data.stat().st_uid, data.stat().st_gid)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert account_of(data).uid == 1234
