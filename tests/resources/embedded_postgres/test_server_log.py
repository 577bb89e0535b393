"""The server's log: its rotation, its permissions, and the lines that errors quote."""

import os
import stat

import pytest

from resources.embedded_postgres import server_log


@pytest.fixture
def log(tmp_path):
    return tmp_path / "server.log"


def write(log, text: str) -> None:
    with server_log.append(log) as stream:
        stream.write(text.encode())


def test_a_new_log_is_readable_by_our_account_only(log):
    write(log, "started\n")
    write(log, "stopped\n")
    assert log.read_text() == "started\nstopped\n"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_large_log_is_moved_aside_and_a_small_one_continued(log):
    write(log, "old\n")
    os.truncate(log, 16 * 1024 * 1024)
    write(log, "same\n")
    assert not log.with_name("server.log.1").exists()
    write(log, "new\n")
    assert log.read_text() == "new\n"
    assert log.with_name("server.log.1").read_bytes().endswith(b"\0same\n")


def test_a_symbolic_link_in_place_of_the_log_is_not_followed(log, tmp_path):
    log.symlink_to(tmp_path / "bait")
    with pytest.raises(OSError, match="symbolic link"):
        server_log.append(log)
    assert not (tmp_path / "bait").exists()


def test_the_tail_is_the_last_twelve_lines_since_a_position(log):
    write(log, "before\n")
    since = server_log.size(log)
    write(log, "one\ntwo\n")
    assert server_log.tail(log, since) == "one\ntwo"
    assert server_log.tail(log) == "before\none\ntwo"
    write(log, "".join(f"{number}\n" for number in range(100)))
    assert server_log.tail(log).splitlines() == [str(number) for number in range(88, 100)]


def test_the_tail_of_a_log_that_was_rotated_since_is_all_of_it(log):
    write(log, "short\n")
    assert server_log.tail(log, since=1_000_000) == "short"


def test_the_tail_is_bounded_and_survives_bytes_that_are_no_text(log):
    log.write_bytes(b"\xff" * 100_000)
    assert server_log.tail(log) == "\N{REPLACEMENT CHARACTER}" * 4096


def test_a_quotation_names_the_log_and_its_lines(log):
    assert server_log.quoted(log) == f"\nServer log: {log} (nothing was added to it)"
    assert server_log.size(log) == 0
    write(log, "FATAL: no\n")
    assert server_log.quoted(log) == f"\nServer log: {log}\nFATAL: no"
