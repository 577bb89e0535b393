"""Tests run on a copy: its code wins over what is installed, and nothing of it is left, also after kill -9."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutation.fork_server import foreign_modules
from tests.mutation.mutations import load
from tests.mutation.tree_copy import import_root, tree_copy
from tests.processes import ROOT, running
from tests.waiting import wait_for

(MUTATION,) = [each for each in load() if each.id == "rated_usage.local_closed_hours"]
SHOW = """
import inspect, sys
import resources, sensors, wxyc_assets
from wxyc_assets.runs import partitions
print(*(module.__file__ for module in (resources, sensors, wxyc_assets)), sep="\\n")
print(inspect.getsource(partitions.floor_hour))
"""
# It reports its folder and waits to be killed, in the middle of a mutation.
KILLED = """
import sys, time
from pathlib import Path
from tests import processes
from tests.mutation.mutations import Mutation
from tests.mutation.tree_copy import tree_copy
processes.start_supervisor()
with tree_copy({}, Path(sys.argv[1])) as copy, copy.mutated(Mutation("m", "rule.py", "1", "2", (), "")):
    print(copy.root, flush=True)
    time.sleep(600)
"""


def shown(environ):
    """What a new process imports; it works in a folder without code."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW], cwd="/", env={**os.environ, **environ}, capture_output=True, text=True, check=True
    )
    *files, code = done.stdout.split("\n", 3)
    return [Path(file) for file in files], code


def test_code_of_the_copy_wins_over_the_installed_one():
    """The installed one is that of the tree: without the copy's environment it is imported."""
    before = (ROOT / MUTATION.file).read_bytes()
    with tree_copy({}) as copy:
        with copy.mutated(MUTATION):
            files, code = shown(import_root(copy.root))
            assert all(file.is_relative_to(copy.root) for file in files)
            assert MUTATION.after in code
            installed, code = shown({"PYTHONPATH": ""})
            assert all(file.is_relative_to(ROOT) for file in installed)
            assert MUTATION.before in code
        assert (copy.root / MUTATION.file).read_bytes() == before == (ROOT / MUTATION.file).read_bytes()
    assert not copy.root.exists()


def test_modules_of_another_tree_are_named(tmp_path):
    assert any(found.startswith("tests.mutation.") for found in foreign_modules(tmp_path))
    assert foreign_modules(ROOT) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_runner_leaves_the_tree_as_it_was_and_no_copy(tmp_path, number):
    (tmp_path / "rule.py").write_text("limit = 1\n")
    with running([sys.executable, "-c", KILLED, tmp_path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        root = Path(process.stdout.readline().strip())
        assert (root / "rule.py").read_text() == "limit = 2\n"
        process.send_signal(number)
        process.wait()
        wait_for(lambda: not root.parent.exists(), "end of the copy")
    assert (tmp_path / "rule.py").read_text() == "limit = 1\n"
