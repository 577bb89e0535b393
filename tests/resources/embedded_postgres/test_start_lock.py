"""The start lock: one holder at a time, a bounded wait, and an end with its holder."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from resources.embedded_postgres import start_lock
from resources.embedded_postgres.errors import EmbeddedPostgresError
from tests.resources.embedded_postgres.homes import AMPLE_S
from tests.waiting import wait_for


def in_ample_time() -> float:
    return time.monotonic() + AMPLE_S


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "lock"


def test_a_waiting_starter_gives_up_at_its_deadline(lock):
    with start_lock.held(lock, in_ample_time()):
        deadline = time.monotonic() + 0.2
        with pytest.raises(EmbeddedPostgresError, match=r"Another process .*/lock"), start_lock.held(lock, deadline):
            pass
        assert time.monotonic() > deadline


def test_the_lock_is_free_after_the_block_and_its_file_stays(lock):
    for _ in range(2):
        with start_lock.held(lock, in_ample_time()):
            pass
    assert lock.exists()


def test_a_waiting_starter_gets_the_lock_when_it_is_free(lock):
    held, order = threading.Event(), []

    def wait_for_it() -> None:
        held.wait(AMPLE_S)
        with start_lock.held(lock, in_ample_time()):
            order.append("second")

    second = threading.Thread(target=wait_for_it)
    second.start()
    with start_lock.held(lock, in_ample_time()):
        held.set()
        order.append("first")
    second.join(AMPLE_S)
    assert order == ["first", "second"]


def test_kill_9_of_the_holder_frees_the_lock(lock, child):
    def hold() -> None:
        with start_lock.held(lock, in_ample_time()):
            lock.with_name("held").touch()
            signal.pause()

    holder = child(hold)
    wait_for(lock.with_name("held").exists, "holder of the lock", AMPLE_S)
    holder.kill()
    with start_lock.held(lock, in_ample_time()):
        pass


def test_a_symbolic_link_in_place_of_the_lock_is_not_followed(lock, tmp_path):
    lock.symlink_to(tmp_path / "bait")
    with pytest.raises(OSError, match="symbolic link"), start_lock.held(lock, in_ample_time()):
        pass
    assert not (tmp_path / "bait").exists()


def test_a_child_process_does_not_inherit_the_lock(lock):
    """The server is launched under the lock, and must not keep it."""
    with start_lock.held(lock, in_ample_time()):
        (descriptor,) = (int(entry.name) for entry in Path("/proc/self/fd").iterdir() if _leads_to(entry, lock))
        assert not os.get_inheritable(descriptor)


def _leads_to(entry: Path, target: Path) -> bool:
    try:
        return entry.readlink() == target
    except FileNotFoundError:  # the descriptor that lists the folder
        return False
