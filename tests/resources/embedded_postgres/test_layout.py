"""Where a server's files are: in home, or outside if the account or the length of a path requires it."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from resources.embedded_postgres.layout import layout_of
from tests.processes import temporary_home
from tests.resources.embedded_postgres.homes import ROOT, answers, identity, layout, main_process

TMP = Path("/tmp")  # noqa: S108 - the folder whose handling is tested


def long_home(folder: Path) -> Path:
    return folder.joinpath(*["a-rather-long-name-of-a-folder"] * 4)


def short_dir(home: Path) -> Path:
    return TMP / f"wxyc-pg-{hashlib.sha256(os.fsencode(home / 'postgres')).hexdigest()[:16]}"


@pytest.fixture
def lasting() -> Iterator[Path]:
    """A closed folder that is not below /tmp."""
    with temporary_home("wxyc-ep-", "/var/tmp") as made:  # noqa: S108 - it outlives a restart, unlike /tmp
        made.chmod(0o700)
        yield made


def test_the_files_of_an_open_home_are_in_it(folder):
    place = layout_of(folder / "home")
    state = folder / "home" / "postgres"
    assert (place.state, place.cluster, place.relocated) == (state, state, False)
    assert (place.data, place.data_entry) == (state / "data", state / "data")
    assert (place.lock, place.log, place.socket_dir) == (state / "lock", state / "server.log", state / "socket")


def test_a_layout_is_computed_without_touching_the_disk(folder):
    assert not layout_of(folder / "home").has_data_entry
    assert list(folder.iterdir()) == []


def test_every_spelling_of_a_home_is_the_same_server(shared, folder, monkeypatch):
    home = shared._home
    (folder / "link").symlink_to(home)
    monkeypatch.chdir(home.parent)
    for spelling in (folder / "link", Path(home.name), home / ".." / home.name):
        assert EmbeddedPostgres(spelling).dsn() == shared.dsn()
        assert EmbeddedPostgres(spelling).running()


def test_a_home_below_a_closed_folder_leaves_that_folder_closed(folder, closed, at):
    server = at(closed / "home")
    before = server.dsn(), [identity(each) for each in (closed, folder, TMP)]
    assert server.start()
    assert answers(server)
    assert (server.dsn(), [identity(each) for each in (closed, folder, TMP)]) == before
    entry = closed / "home" / "postgres" / "data"
    assert entry.is_symlink() == ROOT
    assert (entry / "PG_VERSION").read_text() == "18\n"
    assert (closed / "home" / "postgres" / "server.log").is_file()


def test_an_existing_closed_home_stays_closed(closed, at):
    server = at(closed)
    assert server.start()
    assert answers(server)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_existing_data_stays_where_it_is_when_folders_change(folder, closed, at):
    """Opening or closing folders later moves no data; a server that can no longer reach its data says so."""
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


def test_data_outside_tmp_is_not_kept_in_tmp(lasting, at):
    server = at(lasting)
    assert server.start()
    assert answers(server)
    assert layout_of(lasting).data.is_relative_to("/var/lib/wxyc-postgres" if ROOT else lasting)


def test_a_strict_umask_does_not_move_the_data(folder, at, child):
    server = at(folder / "new" / "home")

    def start_under_strict_umask() -> tuple[bool, bool]:
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


def test_a_long_socket_path_moves_to_a_short_private_folder(folder, at):
    home = long_home(folder)
    server = at(home)
    assert f"host={short_dir(home)}&" in server.dsn()
    assert server.start()
    assert answers(server)
    assert layout(server).data.is_relative_to(home)
    entry = short_dir(home).stat()
    assert (stat.S_IMODE(entry.st_mode), entry.st_uid) == (0o700, Path(f"/proc/{main_process(server)}").stat().st_uid)


def test_the_longest_socket_path_that_stays_in_home_is_100_bytes(folder):
    fixed = len(f"{folder}//postgres/socket/.s.PGSQL.5432")
    assert layout_of(folder / ("x" * (100 - fixed))).socket_dir.is_relative_to(folder)
    assert not layout_of(folder / ("x" * (101 - fixed))).socket_dir.is_relative_to(folder)
    assert not layout_of(folder / ("ä" * (100 - fixed))).socket_dir.is_relative_to(folder)


def test_a_short_folder_that_another_user_created_is_refused(folder, at):
    home = long_home(folder)
    server = at(home)
    (folder / "bait").mkdir(mode=0o700)
    short_dir(home).symlink_to(folder / "bait")
    with pytest.raises(EmbeddedPostgresError, match=f"{short_dir(home)} must be a folder with mode 0700 .* Remove it"):
        server.start()
    assert not server.running()
    assert list((folder / "bait").iterdir()) == []
