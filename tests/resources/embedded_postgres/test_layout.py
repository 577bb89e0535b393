"""Where files go: folders that were there stay as they were, whoever may enter them and whatever their names."""

import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

import psycopg
import pytest

from resources.embedded_postgres import EmbeddedPostgresError, postmaster
from resources.embedded_postgres.layout import layout_of

ROOT = os.geteuid() == 0
TMP = Path("/tmp")  # noqa: S108 - the folder whose handling is tested


def answers(server):
    with psycopg.connect(server.dsn()) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def identity(folder):
    entry = folder.stat()
    return entry.st_mode, entry.st_uid, entry.st_gid


@pytest.fixture
def closed(folder):
    """A folder that was there before, closed to all but its owner."""
    made = folder / "closed"
    made.mkdir()
    made.chmod(0o700)
    return made


def test_a_home_below_a_closed_folder_works_and_the_folder_stays_closed(folder, closed, at):
    server = at(closed / "home")
    before = server.dsn(), [identity(each) for each in (closed, folder, TMP)]
    assert server.start()
    assert answers(server)
    assert (server.dsn(), [identity(each) for each in (closed, folder, TMP)]) == before
    record = closed / "home" / "postgres" / "data"
    assert record.is_symlink() == ROOT
    assert (record / "PG_VERSION").read_text() == "18\n"
    assert (closed / "home" / "postgres" / "server.log").is_file()


def test_an_existing_closed_home_is_not_opened_either(closed, at):
    server = at(closed)
    assert server.start()
    assert answers(server)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_data_of_a_closed_home_that_was_removed_is_set_aside_and_never_served_again(closed, at):
    server = at(closed / "home")
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE old ()")
        cluster = layout_of(closed / "home").cluster
        if not ROOT:
            server.stop()  # its files are inside home
        shutil.rmtree(closed / "home")
        assert not server.running()
        assert server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT to_regclass('old')").fetchone() == (None,)
    assert len(list(cluster.glob("data.disowned-*/PG_VERSION"))) == ROOT


def test_a_cluster_that_was_placed_stays_there_when_folders_are_opened_or_closed(folder, closed, at):
    moved, plain = at(closed / "home"), at(folder / "home")
    moved.start(), plain.start()
    dsns = moved.dsn(), plain.dsn()
    closed.chmod(0o755)
    folder.chmod(0o700)
    try:
        assert (moved.dsn(), plain.dsn()) == dsns
        assert moved.running()
        assert plain.running()
        assert plain.stop()
        if ROOT:
            with pytest.raises(EmbeddedPostgresError, match="may not enter"):
                plain.start()
        assert list((folder / "home" / "postgres").glob("data/PG_VERSION"))
    finally:
        folder.chmod(0o755)


@pytest.fixture
def lasting():
    """A closed folder that is not below /tmp."""
    with tempfile.TemporaryDirectory(prefix="wxyc-ep-", dir="/var/tmp") as made:
        yield Path(made)


def test_data_that_should_last_is_not_kept_in_tmp(lasting, at):
    server = at(lasting)
    assert server.start()
    assert answers(server)
    assert layout_of(lasting).data.is_relative_to("/var/lib/wxyc-postgres" if ROOT else lasting)


def test_a_strict_umask_does_not_shut_the_server_out(folder, at, child):
    server = at(folder / "new" / "home")

    def start_under_strict_umask():
        os.umask(0o077)
        return server.start(), answers(server)

    assert child(start_under_strict_umask).result() == (True, True)
    assert layout_of(folder / "new" / "home").data == folder / "new" / "home" / "postgres" / "data"


@pytest.mark.parametrize("name", ["it's $HOME; 50%20 a&b=c#d?e+f Büro", 'a,b "c"'])
def test_any_name_of_a_home_works(folder, at, name):
    server = at(folder / name)
    assert server.start()
    assert answers(server)
    assert server.stop()


def long_home(folder):
    return folder.joinpath(*["a-rather-long-name-of-a-folder"] * 4)


def short_dir(home):
    return TMP / f"wxyc-pg-{hashlib.sha256(os.fsencode(home / 'postgres')).hexdigest()[:16]}"


def test_a_socket_path_over_100_characters_moves_to_a_short_private_folder(folder, at):
    home = long_home(folder)
    server = at(home)
    assert f"host={short_dir(home)}&" in server.dsn()
    assert server.start()
    assert answers(server)
    pid = postmaster.find(layout_of(home).data)
    assert layout_of(home).data.is_relative_to(home)
    entry = short_dir(home).stat()
    assert (stat.S_IMODE(entry.st_mode), entry.st_uid) == (0o700, Path(f"/proc/{pid}").stat().st_uid)


def test_the_longest_socket_path_that_stays_in_home_is_100_bytes(folder):
    fixed = len(f"{folder}//postgres/socket/.s.PGSQL.5432")
    assert layout_of(folder / ("x" * (100 - fixed))).socket_dir.is_relative_to(folder)
    assert not layout_of(folder / ("x" * (101 - fixed))).socket_dir.is_relative_to(folder)
    assert not layout_of(folder / ("ä" * (100 - fixed))).socket_dir.is_relative_to(folder)


@pytest.mark.parametrize("trap", ["of another user", "open to all", "symbolic link"])
def test_a_short_folder_laid_by_somebody_else_is_refused(folder, at, trap):
    home = long_home(folder)
    place = short_dir(home)
    server = at(home)
    if trap == "symbolic link":
        (folder / "bait").mkdir(mode=0o700)
        place.symlink_to(folder / "bait")
    else:
        place.mkdir(mode=0o700)
        if trap == "of another user" and ROOT:
            os.chown(place, 12345, 12345)
        else:
            place.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match=f"{place} must be a folder with mode 0700 .* Remove it"):
        server.start()
    assert not server.running()
    if place.is_symlink():
        assert list((folder / "bait").iterdir()) == []


def test_a_state_folder_that_others_can_change_is_refused(folder, at):
    state = folder / "home" / "postgres"
    state.mkdir(parents=True)
    if ROOT:
        os.chown(state, 12345, 12345)
    else:
        state.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match=r"belongs to user id .*Run this as that user"):
        at(folder / "home").start()
    assert list(state.iterdir()) == []


def test_programs_in_a_closed_folder_are_copied_whole_and_the_folder_stays_closed(
    closed, folder, at, copy_wheel, monkeypatch
):
    site = closed / "site-packages"
    copy_wheel(site)
    monkeypatch.syspath_prepend(site)
    copies = folder / "home" / "postgres" / "binaries"
    server = at(folder / "home")
    assert server.start()
    assert answers(server)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert copies.is_dir() == ROOT
    if not ROOT:
        return
    assert {each.stat().st_uid for each in copies.rglob("*")} == {0}
    assert not [each for each in copies.rglob("*") if not each.is_symlink() and each.stat().st_mode & 0o022]
    server.stop()
    release = next(copies.iterdir())
    release.rename(release.with_name(f"{release.name}.interrupted"))
    (copies / "17.0").mkdir()
    assert server.start()
    assert [each.name for each in copies.iterdir()] == [release.name]
