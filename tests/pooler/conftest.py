"""A station behind a real pgbouncer, in session mode or in transaction mode."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from resources.embedded_postgres.account import default_account
from tests.processes import running
from tests.waiting import wait_for

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = 20
max_client_conn = 100
ignore_startup_parameters = extra_float_digits
"""


@pytest.fixture
def pooled() -> Iterator[Callable[[str, str], str]]:
    """Return the DSN of a database through a pooler in this mode."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wxyc-pooler-")))
        folder.chmod(0o755)  # pgbouncer reads its configuration as another user than root
        yield lambda dsn, mode: stack.enter_context(_pooler(dsn, mode, folder))


@contextmanager
def _pooler(dsn: str, mode: str, folder: Path) -> Iterator[str]:
    assert PROGRAM, "no pgbouncer: `make test-pooler` installs it"
    parts = conninfo_to_dict(dsn)
    port = _free_port()
    configuration = folder / f"{mode}.ini"
    configuration.write_text(
        CONFIGURATION.format(host=parts["host"], port=parts["port"], user=parts.get("user"), listen=port, mode=mode)
    )
    program = [PROGRAM, str(configuration)]
    if os.geteuid() == 0:  # pgbouncer does not run as root
        account = default_account()
        program = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", *program]
    pooled_dsn = f"postgresql://{parts.get('user')}@127.0.0.1:{port}/{parts['dbname']}"
    with running(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        wait_for(lambda: _answers(pooled_dsn), "pgbouncer")
        yield pooled_dsn


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
