"""One ``wxyc up`` a home."""

import os
import subprocess

import pytest

from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import one_up


def test_second_holder_is_refused_and_the_first_is_named(tmp_path):
    with one_up.held(tmp_path, print) as ours:
        assert str(one_up.find(tmp_path)) == f"process {os.getpid()}, which is starting"
        ours.announce("http://127.0.0.1:1")
        with pytest.raises(CannotError, match=f"process {os.getpid()}, its UI is at http://127.0.0.1:1. "):
            one_up.held(tmp_path, print).__enter__()
        ours.announce(None)
        assert one_up.find(tmp_path) == one_up.RunningUp(os.getpid())
    assert one_up.find(tmp_path) is None
    with one_up.held(tmp_path, print):
        pass


def test_leftovers_of_a_killed_up_are_waited_for(tmp_path, monkeypatch):
    """A child that inherited the lock of the services outlives the one that started it."""
    said: list[str] = []
    with one_up.held(tmp_path, said.append) as ours:
        child = subprocess.Popen(["sleep", "100"], pass_fds=[ours.services])
    assert said == []
    monkeypatch.setattr(one_up, "LEFTOVER_TIMEOUT_S", 0.2)
    with pytest.raises(CannotError, match="do not end"):
        one_up.held(tmp_path, said.append).__enter__()
    child.kill()
    child.wait(60)
    monkeypatch.setattr(one_up, "LEFTOVER_TIMEOUT_S", 60)
    with one_up.held(tmp_path, said.append):
        assert len(said) == 1


def test_home_without_an_up_gets_no_file(tmp_path):
    assert one_up.find(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
