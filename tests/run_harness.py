"""Runs an asset on a test's station, and shows what the run did: rows, the ledger, log lines, progress."""

import io
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TextIO

from pydantic import SecretStr

from resources.budget import PostgresBudget
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.postgres import Postgres
from resources.sentry import Sentry, SentryConfig, open_sentry
from resources.step_log import StepLog, step_log
from tests.arbitrary_lml import ArbitraryLml
from tests.processes import running
from tests.waiting import wait_for
from wxyc_assets.runs.advisory_locks import held_units, run_unit
from wxyc_assets.runs.outcome import RunOutcome
from wxyc_assets.runs.progress import NoProgress, Progress

QUICK: dict[str, Any] = {"backoff_initial_s": 0.01, "backoff_jitter_s": 0.01, "backoff_max_s": 0.02}
INTERRUPT_TIMEOUT_S = 120.0  # a second suffices on a quiet machine; LML hangs for longer than this


@dataclass
class StationRuns:
    """Runs on one station; ``lines`` is what they logged, in order."""

    postgres: Postgres
    sentry: Sentry = field(default_factory=lambda: open_sentry(SentryConfig(dsn=None)))
    unit_wait_s: float = 0.2
    progress: Progress = field(default_factory=NoProgress)
    stream: TextIO = field(default_factory=io.StringIO)

    @contextmanager
    def lml(self, url: str, *, per_minute: float = 1e9, **overrides: Any) -> Iterator[LmlClient]:
        """A client of the LML at ``url`` with short pauses between its attempts."""
        config = LmlConfig(**{"base_url": url, "api_key": SecretStr("sandbox-key"), **QUICK, **overrides})
        with (
            closing(PostgresBudget(replace(self.postgres).open, per_minute=per_minute)) as budget,
            closing(LmlClient(config, budget=budget, span=self.sentry.span)) as client,
        ):
            yield client

    def log(self, tool: str, run_id: str) -> StepLog:
        """The log of a run, as JSON lines into ``stream``."""
        return step_log(tool=tool, run_id=run_id, stream=self.stream)

    @property
    def log_text(self) -> str:
        """Everything that the runs logged into ``stream``, if that is in memory."""
        assert isinstance(self.stream, io.StringIO)
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_text.splitlines()]

    def steps(self, step: str) -> list[dict[str, Any]]:
        """The lines of one step."""
        return [line for line in self.lines if line["step"] == step]

    def rows(self, query: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """Return what a query selects."""
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
        """Return every row of every table of the project's schema and the station's, as text."""
        tables = self.rows(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('wxyc_schema', 'wxyc_assets', 'public')"
        )
        return {
            f"{schema}.{table}": sorted(str(row[0]) for row in self.rows(f'SELECT t::text FROM "{schema}"."{table}" t'))
            for schema, table in tables
        }

    def wait_until_alone(self) -> None:
        """Wait until the server has ended every other session of the database, such as those of a killed run."""
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        wait_for(lambda: not self.rows(others), "end of the other sessions")

    def wait_until_released(self, units: Iterable[str]) -> None:
        """Wait until no session holds these locks: the server ends a session a moment after its client has left."""
        locks = list(units)
        with self.postgres.connect() as connection:
            wait_for(lambda: not held_units(connection, locks), "release of the locks")

    def assert_ends_on_interrupt(self, process: subprocess.Popen[bytes], lml: ArbitraryLml, run_id: str) -> None:
        """Assert that Ctrl-C ends the run ``process`` while its LML calls hang, and that its row and its lock show it."""
        interrupt_while_lml_hangs(process, lml)
        assert process.stderr is not None
        assert b"KeyboardInterrupt" in process.stderr.read()
        assert self.rows("SELECT verdict, reason FROM wxyc_assets.run") == [("failed", "KeyboardInterrupt")]
        self.wait_until_released([run_unit(run_id)])

    def end_lock_session(self, run_id: str) -> None:
        """Terminate only the session that holds a run's locks, and wait until another run can take them."""
        with self.postgres.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted "
                "AND (classid::bigint << 32 | objid::bigint) = hashtextextended('wxyc_assets/' || %s, 0)",
                [run_unit(run_id)],
            )
        self.wait_until_released([run_unit(run_id)])

    def kill_sessions(self) -> None:
        """Terminate every session that the program has in the station's database."""
        self.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND application_name LIKE 'wxyc_assets%'"
        )


def assert_stopped_without_its_locks(report: RunOutcome[Any]) -> None:
    """Assert that a run failed because its locks were lost, and that its reason says so."""
    assert report.verdict == "failed"
    assert "LocksLostError: the session that holds this run's locks was lost" in report.reason
    assert "Another run may be processing the same partitions" in report.reason


def failed_checks(report: RunOutcome[Any]) -> set[str]:
    """The names of the checks that failed."""
    return {finding.name for finding in report.findings if not finding.passed}


class ConcurrentCalls:
    """Answers LML calls with ``answer`` and records the most at once; none is answered before ``expected`` are in flight."""

    def __init__(self, answer: Callable[[Any], Any], expected: int) -> None:
        self._answer, self._expected = answer, expected
        self._reached, self._lock = threading.Event(), threading.Lock()
        self._now = self.most = 0

    def __call__(self, inputs: Any) -> Any:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            if self._now == self._expected:
                self._reached.set()
        assert self._reached.wait(60)
        time.sleep(0.02)  # gives one call too many the time to arrive
        with self._lock:
            self._now -= 1
        return self._answer(inputs)


class RecordedProgress:
    """A progress that records the calls that a run makes: the arguments of ``start``, each count, and ``finish``."""

    wants_total = True

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def start(self, label: str, total: int | None, *, unit: str = "inputs") -> None:
        self.calls.append((label, total, unit))

    def advance(self, count: int) -> None:
        self.calls.append(count)

    def wait(self, reason: str, seconds: float) -> None:
        self.calls.append((reason, seconds))

    def finish(self) -> None:
        self.calls.append("finish")


@contextmanager
def child(module: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A run in a child process, which a test can kill or interrupt; its log is on its stderr."""
    with running([sys.executable, "-m", module, *arguments], stderr=subprocess.PIPE) as process:
        yield process


def interrupt_while_lml_hangs(process: subprocess.Popen[bytes], lml: ArbitraryLml) -> None:
    """Send Ctrl-C to a run whose call LML never answers, and wait until the run ends, which it does without the answer."""
    lml.say = lml.hang
    while not lml.asked:
        time.sleep(0.01)
        assert process.poll() is None
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=INTERRUPT_TIMEOUT_S)
    assert not lml.released.is_set()
