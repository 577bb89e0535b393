"""What every room's runs need of a test, and what a test sees of them: rows, the ledger, what was logged."""

import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import SecretStr

from resources.budget import PostgresBudget
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.postgres import Postgres
from resources.sentry import Sentry, SentryConfig, open_sentry
from resources.step_log import StepLog, step_log
from tests.arbitrary_lml import ArbitraryLml
from wxyc_assets.progress import Progress, Silent

QUICK: dict[str, Any] = {"backoff_initial_s": 0.01, "backoff_jitter_s": 0.01, "backoff_max_s": 0.02}


@dataclass
class StationRuns:
    """Runs on one station; ``lines`` is what they logged, in order."""

    postgres: Postgres
    sentry: Sentry = field(default_factory=lambda: open_sentry(SentryConfig(dsn=None)))
    unit_wait_s: float = 0.2
    progress: Progress = field(default_factory=Silent)
    stream: io.StringIO = field(default_factory=io.StringIO)

    @contextmanager
    def lml(self, url: str, *, per_minute: float = 1e9, **overrides: Any) -> Iterator[LmlClient]:
        """A client of the LML at ``url`` that waits for nothing long."""
        config = LmlConfig(**{"base_url": url, "api_key": SecretStr("sandbox-key"), **QUICK, **overrides})
        with (
            closing(PostgresBudget(replace(self.postgres).open, per_minute=per_minute)) as budget,
            closing(LmlClient(config, budget=budget, span=self.sentry.span)) as client,
        ):
            yield client

    def log(self, tool: str, run_id: str) -> StepLog:
        """The log of a run, as JSON lines into ``stream``."""
        return step_log(tool=tool, run_id=run_id, human=False, stream=self.stream)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def steps(self, step: str) -> list[dict[str, Any]]:
        """The lines of one step."""
        return [line for line in self.lines if line["step"] == step]

    def rows(self, query: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """What the database says."""
        with self.postgres.connect() as connection:
            return connection.execute(query, list(parameters) or None).fetchall()

    def execute(self, statement: str) -> None:
        """Change the database."""
        with self.postgres.connect() as connection:
            connection.execute(statement)

    def tallied(self, run_id: str) -> dict[str, int]:
        """The ledger's counts of a run, all partitions together."""
        rows = self.rows(
            "SELECT e.key, sum(e.value::int) FROM wxyc_assets.tally t, jsonb_each_text(t.counters) e "
            "WHERE t.run_id = %s GROUP BY 1",
            [run_id],
        )
        return {key: int(value) for key, value in rows}

    def everything(self) -> dict[str, list[str]]:
        """Every row of every table of all schemas that are ours or the station's, as text."""
        tables = self.rows(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('wxyc_schema', 'wxyc_assets', 'public')"
        )
        return {
            f"{schema}.{table}": sorted(str(row[0]) for row in self.rows(f'SELECT t::text FROM "{schema}"."{table}" t'))
            for schema, table in tables
        }

    def kill_sessions(self) -> None:
        """Terminate every session of the station's database that is ours."""
        self.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND application_name LIKE 'wxyc_assets%'"
        )


class Told:
    """A progress that remembers what it was told, in order: how a run began, by how much it went on, that it ended."""

    wants_total = True

    def __init__(self) -> None:
        self.told: list[Any] = []

    def start(self, label: str, total: int | None, *, unit: str = "inputs") -> None:
        self.told.append((label, total, unit))

    def advance(self, count: int) -> None:
        self.told.append(count)

    def finish(self) -> None:
        self.told.append("finish")


@contextmanager
def child(module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a process of its own, to be killed; what it logs is on its stderr."""
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stderr=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stderr:
            process.stderr.close()


def interrupt_while_lml_hangs(process: subprocess.Popen[bytes], lml: ArbitraryLml) -> float:
    """Press Ctrl-C on a run that waits for LML, which says nothing any more; return how many seconds it took to end."""
    lml.say = lml.hang
    while not lml.asked:
        time.sleep(0.01)
        assert process.poll() is None
    time.sleep(0.1)
    before = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(timeout=20)
    return time.monotonic() - before
