"""The data directory: created whole or not at all, never confused with other files, renamed if its home is gone."""

import resource as process_limits  # noqa: TID251 - the one place that means the standard library's
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from resources.embedded_postgres import EmbeddedPostgresError, postmaster
from resources.embedded_postgres.account import Account
from tests.resources.embedded_postgres.homes import AMPLE_S, ROOT, layout, one
from tests.waiting import wait_for


@pytest.mark.parametrize("as_user", [False, True])
@pytest.mark.parametrize("written", ["half", "whole"])
def test_initdb_killed_before_its_end_is_begun_anew(user_folder, at, child, monkeypatch, as_user, written):
    """The starter is killed when initdb has written something, or everything but the final name."""
    state = user_folder / "home" / "postgres"
    server = at(user_folder / "home")
    real = postmaster.run_to_end

    def never_return(arguments: Sequence[str], account: Account, timeout_s: float) -> tuple[int, str]:
        folder = Path(arguments[2])
        if written == "half":
            (folder / "base").mkdir()
        else:
            real(arguments, account, timeout_s)
        (folder / "written").touch()
        signal.pause()
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(postmaster, "run_to_end", never_return)
        starter = child(server.start, as_user=as_user)
    wait_for(lambda: list(state.glob("data.initdb-*/written")), "output of initdb", AMPLE_S)
    starter.kill()
    assert not (state / "data").exists()

    def start_again() -> tuple[bool, ...]:
        return server.start(), server.stop(), server.start(), server.stop()

    assert child(start_again, as_user=as_user).result() == (True, True, True, True)
    assert list(state.glob("data.initdb-*")) == []


def test_data_of_another_major_is_refused_unchanged(used):
    """The error names both ways out: dump and load, or begin anew."""
    version = layout(used).data / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 17.* PostgreSQL 18.*pg_dumpall.* begin anew"):
        used.start()
    version.write_text("18\n")
    assert used.start()


def test_a_folder_of_other_files_is_not_taken_for_data(folder, at):
    data = folder / "home" / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "letter.txt").write_text("dear station")
    with pytest.raises(EmbeddedPostgresError, match=r"no PostgreSQL data directory\. Move it away"):
        at(folder / "home").start()
    assert (data / "letter.txt").read_text() == "dear station"


def test_a_full_disk_is_explained_and_leaves_nothing(folder, at, child):
    """A limit on file sizes stands for the disk."""
    server = at(folder / "home")

    def start_with_small_files() -> str:
        process_limits.setrlimit(process_limits.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        with pytest.raises(
            EmbeddedPostgresError, match=r"initdb could not(.|\n)*File (too large|size limit)"
        ) as raised:
            server.start()
        return str(raised.value)

    assert "disk space" in child(start_with_small_files).result()
    assert sorted(p.name for p in (folder / "home" / "postgres").iterdir()) == ["lock", "socket"]
    assert server.start()


def test_data_of_a_removed_home_is_renamed_and_never_served(closed, at):
    """As root the data of a closed home is outside, and its server still runs when the home is removed."""
    server = at(closed / "home")
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE TABLE old ()")
        cluster = layout(server).cluster
        if not ROOT:
            server.stop()  # its files are inside home
        shutil.rmtree(closed / "home")
        assert not server.running()
        assert server.start()
    assert one(server, "SELECT to_regclass('old')") == (None,)
    assert len(list(cluster.glob("data.disowned-*/PG_VERSION"))) == ROOT


def test_the_database_is_utf8_with_the_builtin_locale(shared):
    query = "SELECT datcollate, datlocprovider::text, datlocale FROM pg_database WHERE datname = 'postgres'"
    assert one(shared, query) == ("C", "b", "C.UTF-8")
    assert one(shared, "SHOW data_checksums") == ("on",)
