"""Creates the data directory, atomically, and records where it is."""

import os
import shutil
import subprocess
import uuid
from pathlib import Path

from resources.embedded_postgres import postmaster
from resources.embedded_postgres.account import Account
from resources.embedded_postgres.binaries import Binaries
from resources.embedded_postgres.errors import EmbeddedPostgresError
from resources.embedded_postgres.folders import make_private
from resources.embedded_postgres.layout import Layout

SUPERUSER = "wxyc"
_QUOTED_LINES = 8
_UNFINISHED_PREFIX = "data.initdb-"
_DISOWNED_PREFIX = "data.disowned-"
_INITDB_OPTIONS = (
    f"--username={SUPERUSER}", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C",
    "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions",
)  # fmt: skip


def ensure_initialised(layout: Layout, account: Account, binaries: Binaries, timeout_s: float) -> None:
    """Make sure that the data directory exists and that these programs can read it.

    initdb works in a folder with a temporary name, which is renamed at the end: a killed initdb leaves no data directory.
    Raises EmbeddedPostgresError if the data is of another version of PostgreSQL, or if initdb fails.
    """
    for leftover in layout.cluster.glob(f"{_UNFINISHED_PREFIX}*"):
        # An initdb that outlives its starter may write there again: then the next start removes the rest.
        shutil.rmtree(leftover, ignore_errors=True)
    if layout.data.is_dir() and any(layout.data.iterdir()):
        _require_major(layout.data, binaries.major)
        return
    unfinished = layout.cluster / f"{_UNFINISHED_PREFIX}{uuid.uuid4().hex}"
    make_private(unfinished, account)
    try:
        _initdb(unfinished, account, binaries, timeout_s)
        unfinished.rename(layout.data)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    _sync(layout.cluster)


def record_relocation(layout: Layout) -> None:
    """Link this home to its data outside; rename data that a removed home left there, which is never adopted."""
    if not layout.relocated or os.path.lexists(layout.data_entry):
        return
    if layout.data.exists():
        layout.data.rename(layout.data.with_name(f"{_DISOWNED_PREFIX}{uuid.uuid4().hex}"))
    layout.data_entry.symlink_to(layout.data)


def _initdb(folder: Path, account: Account, binaries: Binaries, timeout_s: float) -> None:
    arguments = [str(binaries.bin / "initdb"), "-D", str(folder), *_INITDB_OPTIONS]
    try:
        exit_code, output = postmaster.run_to_end(arguments, account, timeout_s)
    except subprocess.TimeoutExpired:
        raise EmbeddedPostgresError(
            f"initdb did not finish in {timeout_s:.0f} s: the disk of {folder.parent} is slow. Give it more time."
        ) from None
    if exit_code:
        last_lines = "\n".join(output.splitlines()[-_QUOTED_LINES:])
        raise EmbeddedPostgresError(
            f"initdb could not make a data directory in {folder.parent} (exit code {exit_code}). Its output:\n"
            f"{last_lines}\n"
            "Fix the cause (disk space, permissions), then start again: nothing of this attempt remains."
        )


def _require_major(data: Path, major: str) -> None:
    version_file = data / "PG_VERSION"
    if not version_file.is_file():
        raise EmbeddedPostgresError(
            f"{data} holds files but is no PostgreSQL data directory. Move it away, or choose another home."
        )
    found = version_file.read_text().strip()
    if found != major:
        raise EmbeddedPostgresError(
            f"{data} was made by PostgreSQL {found}, and the programs installed here are PostgreSQL {major}, which"
            " cannot read it. To keep the data, install the release of this project that made it, dump it with"
            f" pg_dumpall, and load it into a new home. To begin anew, move {data} away."
        )


def _sync(folder: Path) -> None:
    """Make a rename in the folder survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
