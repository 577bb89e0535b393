"""Runs psql on the station's database with a session that only reads."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from resources.embedded_postgres import psql_program
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.database import connections
from wxyc_assets.database.revision import SCHEMA
from wxyc_assets.settings import DatabaseSettings, load

READ_ONLY = "-c default_transaction_read_only=on"


def run_psql(statements: Sequence[str], arguments: Sequence[str], stdout: IO[str], *, billing: bool = False) -> int:
    """Run psql to its end and return its exit code; raises CannotError if this machine has no psql.

    ``billing``: on the database of the billing tables.
    """
    settings = load(DatabaseSettings)
    dsn = connections.billing_reader_dsn(settings) if billing else connections.reader_dsn(settings)
    connection, environ = _session(dsn, [settings.station_schema, settings.billing_schema, SCHEMA])
    program = _program(interactive=not statements and sys.stdin.isatty())
    chosen = [f"--command={statement}" for statement in statements]
    command = [program, "--set=ON_ERROR_STOP=1", *chosen, *arguments, connection]
    # Ctrl-C is for psql, which cancels a statement. A handler, unlike SIG_IGN, is not inherited.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        with subprocess.Popen(command, stdout=stdout, env={**os.environ, **environ}) as process, _ending(process):  # noqa: S603
            return process.wait()
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Let SIGTERM, and a hangup that is not ignored, end the process and so the block."""
    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    handlers = {number: signal.signal(number, lambda *_: process.terminate()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _session(dsn: str, schemas: Sequence[str]) -> tuple[str, Mapping[str, str]]:
    """Return psql's connection string without the password, which other users could see, and the environment for it."""
    parts = conninfo_to_dict(dsn)
    password, options = parts.pop("password", None), parts.pop("options", None)
    path = ",".join(schemas)
    given = [str(options)] if options else []
    environ = {"PGOPTIONS": " ".join([*given, READ_ONLY, f"-c search_path={path}", "-c timezone=UTC"])}
    if password:
        environ["PGPASSWORD"] = str(password)
    return make_conninfo("", **{**parts, "application_name": "wxyc psql"}), environ


def _program(*, interactive: bool) -> str:
    """Return the psql to run: to type in, that of the machine, which can edit lines; else the one of the embedded wheel."""
    installed, embedded = shutil.which("psql"), psql_program()
    for program in (installed, embedded) if interactive else (embedded, installed):
        if program and _works(str(program)):
            return str(program)
    raise CannotError("this machine has no psql: install PostgreSQL's client, or the package embedded-postgres")


def _works(program: str) -> bool:
    """Return whether a program starts: Debian's psql is there before any client is installed."""
    tried = subprocess.run([program, "--version"], capture_output=True, check=False)  # noqa: S603
    return tried.returncode == 0
