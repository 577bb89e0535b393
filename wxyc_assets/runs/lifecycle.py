"""The lifecycle of one run: its locks, its row in the ledger, and ``failed`` when it could not do its job."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import psycopg

from resources.postgres import Postgres
from resources.step_log import StepLog
from wxyc_assets.database.revision import require_migrated
from wxyc_assets.runs import advisory_locks, ledger
from wxyc_assets.runs.lock_proof import LockProof
from wxyc_assets.runs.origin import RunOrigin

Partition = TypeVar("Partition", int, str)
"""A shard's number, or a partition key as Dagster has it."""


@dataclass(frozen=True)
class RunSpec(Generic[Partition]):
    """What a run is about to do; ``unit_wait_s`` is how long it waits for partitions that other runs hold.

    A dry run holds the lock on its run id, so that it is known to live. It locks no partition and writes no row.
    """

    asset: str
    run_id: str
    origin: RunOrigin
    partitions: Sequence[Partition]
    dry_run: bool
    unit_wait_s: float = advisory_locks.UNIT_WAIT_S


class Report(Protocol[Partition]):
    """How the run ended. ``refused`` is filled in at the start: the partitions that other runs hold, with their holders."""

    refused: dict[Partition, str]

    @property
    def verdict(self) -> ledger.RunVerdict:
        """How it ended."""

    @property
    def reason(self) -> str:
        """One sentence, empty when all is well."""


@contextmanager
def run_lifecycle(
    spec: RunSpec[Partition], report: Report[Partition], *, postgres: Postgres, log: StepLog
) -> Iterator[Postgres]:
    """Hold the run's locks and its row in the ledger while the block works; yield the database for that work.

    Its sessions prove before each statement and each commit that the run still holds its locks; once they are lost, they raise
    LocksLostError, as if the database were gone.

    Raises psycopg.OperationalError if the database cannot be reached at all, MigrationError if our schema is missing. An
    exception of the block is logged and raised again.
    """
    try:
        with ExitStack() as stack:
            proof = _begin(spec, report, postgres, log, stack)
            try:
                yield replace(postgres, guard=proof)
            except BaseException as error:
                _end(spec, postgres, "failed", ": ".join(filter(None, (type(error).__name__, str(error)))))
                raise
            _end(spec, postgres, report.verdict, report.reason)
    except Exception as error:
        # The contract's line, without a traceback: Dagster logs that, and the alerts read it from Dagster.
        log.error("failed", error_message=str(error), error_name=type(error).__name__)  # noqa: TRY400
        raise
    if report.verdict == "failed":
        log.error("failed", error_message=report.reason, error_name="Failure")


def _begin(
    spec: RunSpec[Partition], report: Report[Partition], postgres: Postgres, log: StepLog, stack: ExitStack
) -> LockProof:
    """Take the locks and record the start; return the proof of the locks."""
    with postgres.connect() as connection:
        require_migrated(connection)
        locks = stack.enter_context(advisory_locks.run_locks(postgres, spec.run_id))
        if not spec.dry_run:
            report.refused.update(_lock_partitions(spec, locks, log))
            ledger.begin_run(connection, spec.run_id, spec.asset, spec.origin)
        return LockProof(locks)


def _lock_partitions(spec: RunSpec[Partition], locks: advisory_locks.Locks, log: StepLog) -> dict[Partition, str]:
    """Lock every partition, in the same order in all runs; return the holders of those that cannot be locked."""
    units = {advisory_locks.unit(spec.asset, key): key for key in sorted(spec.partitions)}

    def log_wait(refusal: advisory_locks.Refusal) -> None:
        log.info(
            "unit_wait", message=f"waiting for at most {spec.unit_wait_s:g} s: {refusal}", partition=units[refusal.unit]
        )

    return {units[refusal.unit]: str(refusal) for refusal in locks.take(list(units), spec.unit_wait_s, log_wait)}


def _end(spec: RunSpec[Partition], postgres: Postgres, verdict: ledger.RunVerdict, reason: str) -> None:
    """Record how the run ended. If the database is gone, ``dead_runs`` ends the run later."""
    if spec.dry_run:
        return
    with suppress(psycopg.OperationalError), postgres.connect() as connection:
        ledger.end_run(connection, spec.run_id, verdict, reason)


def by_partition(problems: Mapping[Partition, str], noun: str = "shard") -> str:
    """Name each problem once, with the partitions that have it."""
    having: dict[str, list[Partition]] = {}
    for key, problem in sorted(problems.items()):
        having.setdefault(problem, []).append(key)
    return "; ".join(f"{noun} {', '.join(map(str, keys))}: {problem}" for problem, keys in having.items())
