"""A temporary copy of the tree, in which a mutation is applied and tests are run: the tree itself is never written to."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.mutation import fork_server
from tests.mutation.mutations import Mutation
from tests.processes import ROOT, running, temporary_home

PYTEST_OPTIONS = (
    "--exitfirst", "--quiet", "--hypothesis-seed=0", "--timeout=120", "-p", "no:cacheprovider",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # of Hypothesis, which the fork server has loaded
)  # fmt: skip

LIBRARIES = (
    "alembic", "alembic.context", "click", "dagster", "httpx", "hypothesis", "orjson", "psycopg", "psycopg_pool", "pydantic",
    "pytest", "rich.console", "sentry_sdk", "sqlalchemy", "stamina", "starlette.applications", "structlog", "uvicorn", "yaml",
)  # fmt: skip
"""What the tests import beside the project: a fork server loads it once for all of its forks."""

_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "tmp", "img")


class EndedError(Exception):
    """The process that runs the tests has ended."""


class TreeCopy:
    """A copy of the tree, and the process that runs its tests."""

    def __init__(self, root: Path, process: "subprocess.Popen[str]") -> None:
        self.root = root
        self._process = process
        self._seconds = itertools.count(int(time.time()))

    @contextmanager
    def mutated(self, mutation: Mutation) -> Iterator[None]:
        """Apply a mutation for the block; raises NotApplicableError."""
        path = self.root / mutation.file
        code = path.read_bytes()
        self._write(path, mutation.applied(code.decode()).encode())
        try:
            yield
        finally:
            self._write(path, code)

    def run(self, tests: Sequence[str]) -> int:
        """Run tests until the first failure, and return pytest's exit code; ``output`` has what it wrote.

        Raises EndedError.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps([str(self._output), *PYTEST_OPTIONS, *tests]) + "\n")
            stdin.flush()
        except BrokenPipeError:
            raise EndedError from None
        if not (line := stdout.readline()):
            raise EndedError
        return int(line)

    @property
    def output(self) -> str:
        """What the last run wrote."""
        return self._output.read_text(errors="replace")

    @property
    def _output(self) -> Path:
        return self.root.with_name("output")

    def _write(self, path: Path, code: bytes) -> None:
        """Write a file with a time of its own: Python takes bytecode for current if time, in seconds, and size are the same."""
        path.write_bytes(code)
        stamp = next(self._seconds)
        os.utime(path, (stamp, stamp))


@contextmanager
def tree_copy(environ: Mapping[str, str], source: Path = ROOT) -> Iterator[TreeCopy]:
    """Yield a copy, which is removed with the block, also by kill -9 of this process. ``environ`` is added for its tests."""
    with temporary_home("wxyc-mutation-") as folder:
        root = folder / "tree"
        shutil.copytree(source, root, ignore=_LEFT_OUT)
        command = [sys.executable, "-W", "ignore", fork_server.__file__, *LIBRARIES]
        with running(
            command,
            cwd=root,
            env={**os.environ, **environ, **import_root(root)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            yield TreeCopy(root, process)


def import_root(root: Path) -> dict[str, str]:
    """Return the environment in which Python imports the project's code from this tree, whatever is installed."""
    return {"PYTHONPATH": str(root)}
