"""Runs the tests of mutations on copies of the tree, several at a time, and decides what became of each mutation."""

import queue
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
import pytest

from resources.embedded_postgres import EmbeddedPostgres
from tests import processes
from tests.mutation.mutations import Mutation, NotApplicableError
from tests.mutation.tree_copy import EndedError, TreeCopy, tree_copy
from tests.processes import ROOT, temporary_home

Verdict = Literal["killed", "survived", "not applicable", "tests fail without it", "not runnable"]

Copies = queue.SimpleQueue[TreeCopy]


@dataclass(frozen=True)
class Result:
    """What became of a mutation, in how many seconds; ``detail``: what its tests wrote, or why it was not tried."""

    mutation: Mutation
    verdict: Verdict
    seconds: float
    detail: str


@contextmanager
def database() -> Iterator[dict[str, str]]:
    """Yield the variables that name a PostgreSQL server for the tests of all copies; it ends with the block."""
    with temporary_home("wxyc-mutation-") as home:
        embedded = EmbeddedPostgres(home)
        try:
            embedded.start()
            with psycopg.connect(embedded.dsn("postgres"), autocommit=True) as admin:
                admin.execute("ALTER SYSTEM SET fsync TO off")
                admin.execute("SELECT pg_reload_conf()")
            yield {"WXYC_TEST_DATABASE_URL": embedded.dsn("postgres")}
        finally:
            embedded.stop()


def judge(
    mutations: Sequence[Mutation],
    *,
    workers: int,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
    source: Path = ROOT,
) -> Iterator[Result]:
    """Yield the result of each mutation as soon as it is known.

    All tests are run without any mutation first. If one fails, the tests of each mutation are run without it once more, so that
    only the mutations of that test fail.
    """
    workers = max(1, min(workers, len(mutations)))
    with ExitStack() as held, ThreadPoolExecutor(workers) as pool:
        copies: Copies = queue.SimpleQueue()
        for copy in pool.map(lambda _: held.enter_context(tree_copy(environ, source)), range(workers)):
            copies.put(copy)
        sound = _all_pass(pool, copies, mutations, workers)
        tell("all tests pass without a mutation" if sound else "a test fails without any mutation")
        found: list[Future[Result]] = [pool.submit(_judge, copies, one, sound=sound) for one in mutations]
        try:
            for future in as_completed(found):
                yield future.result()
        except BaseException:  # Ctrl-C
            pool.shutdown(wait=False, cancel_futures=True)
            processes.end_children()  # the threads of the pool wait for them
            raise


def _all_pass(pool: ThreadPoolExecutor, copies: Copies, mutations: Sequence[Mutation], workers: int) -> bool:
    tests = sorted({test for mutation in mutations for test in mutation.tests})
    parts = [part for place in range(workers) if (part := tests[place::workers])]
    return all(code == pytest.ExitCode.OK for code in pool.map(lambda part: _run(copies, part), parts))


def _run(copies: Copies, tests: Sequence[str]) -> int:
    with _borrowed(copies) as copy:
        return copy.run(tests)


def _judge(copies: Copies, mutation: Mutation, *, sound: bool) -> Result:
    began = time.monotonic()
    with _borrowed(copies) as copy:
        try:
            verdict, detail = _verdict(copy, mutation, sound=sound)
        except NotApplicableError as error:
            verdict, detail = "not applicable", str(error)
        except EndedError:
            verdict, detail = "not runnable", "the process of the tests has ended"
        return Result(mutation, verdict, time.monotonic() - began, detail)


def _verdict(copy: TreeCopy, mutation: Mutation, *, sound: bool) -> tuple[Verdict, str]:
    if not sound and copy.run(mutation.tests) != pytest.ExitCode.OK:
        return "tests fail without it", copy.output
    with copy.mutated(mutation):
        code = copy.run(mutation.tests)
    match code:
        case pytest.ExitCode.OK:
            return "survived", copy.output
        case pytest.ExitCode.TESTS_FAILED:
            return "killed", copy.output
        case _:
            return "not runnable", copy.output


@contextmanager
def _borrowed(copies: Copies) -> Iterator[TreeCopy]:
    copy = copies.get()
    try:
        yield copy
    finally:
        copies.put(copy)
