"""Puts one run on record: its locks, its row in the ledger, and ``failed`` when it could not do its job."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import psycopg

from resources.postgres import Postgres
from resources.step_log import StepLog
from wxyc_assets import ledger, single_flight
from wxyc_assets.revision import require_migrated
from wxyc_assets.run_origin import RunOrigin

Partition = TypeVar("Partition", int, str)
"""A shard's number, or a partition's key as Dagster has it."""


@dataclass(frozen=True)
class Undertaking(Generic[Partition]):
    """What is put on record; ``unit_wait_s`` is how long it waits for partitions that others have.

    A dry run shows that it lives, but keeps nobody from a partition and leaves no row.
    """

    asset: str
    run_id: str
    origin: RunOrigin
    partitions: Sequence[Partition]
    dry_run: bool
    unit_wait_s: float = single_flight.UNIT_WAIT_S


class Report(Protocol[Partition]):
    """What the run says came of it. ``refused`` is filled in at the beginning: who holds what it cannot have."""

    refused: dict[Partition, str]

    @property
    def verdict(self) -> ledger.RunVerdict:
        """How it ended."""

    @property
    def reason(self) -> str:
        """One sentence, empty when all is well."""


@contextmanager
def on_record(
    undertaking: Undertaking[Partition], report: Report[Partition], *, postgres: Postgres, log: StepLog
) -> Iterator[None]:
    """Hold the run's locks and keep its row of the ledger while the block works.

    Raises psycopg.OperationalError if the database cannot be reached at all, MigrationError if our schema is not there; what
    the block raises is logged and passed on.
    """
    try:
        with ExitStack() as stack:
            _begin(undertaking, report, postgres, log, stack)
            try:
                yield
            except BaseException as error:
                _end(undertaking, postgres, "failed", ": ".join(filter(None, (type(error).__name__, str(error)))))
                raise
            _end(undertaking, postgres, report.verdict, report.reason)
    except Exception as error:
        # The contract's line, not a traceback: that is Dagster's, and the alerts' from there.
        log.error("failed", error_message=str(error), error_name=type(error).__name__)  # noqa: TRY400
        raise
    if report.verdict == "failed":
        log.error("failed", error_message=report.reason, error_name="Failure")


def _begin(
    undertaking: Undertaking[Partition], report: Report[Partition], postgres: Postgres, log: StepLog, stack: ExitStack
) -> None:
    with postgres.connect() as connection:
        require_migrated(connection)
        locks = stack.enter_context(single_flight.run_locks(postgres, undertaking.run_id))
        if not undertaking.dry_run:
            report.refused.update(_take(undertaking, locks, log))
            ledger.begin_run(connection, undertaking.run_id, undertaking.asset, undertaking.origin)


def _take(undertaking: Undertaking[Partition], locks: single_flight.Locks, log: StepLog) -> dict[Partition, str]:
    """Lock every partition of the run, in one order for all runs; return who holds those that it cannot have."""
    units = {single_flight.unit(undertaking.asset, key): key for key in sorted(undertaking.partitions)}

    def tell(refusal: single_flight.Refusal) -> None:
        log.info("unit_wait", message=f"waiting: {refusal}", partition=units[refusal.unit])

    return {units[refusal.unit]: str(refusal) for refusal in locks.take(list(units), undertaking.unit_wait_s, tell)}


def _end(undertaking: Undertaking[Partition], postgres: Postgres, verdict: ledger.RunVerdict, reason: str) -> None:
    """Put on record how the run ended; a run whose database is gone leaves that to whoever finds it dead."""
    if undertaking.dry_run:
        return
    with suppress(psycopg.OperationalError), postgres.connect() as connection:
        ledger.end_run(connection, undertaking.run_id, verdict, reason)


def by_partition(problems: Mapping[Partition, str], noun: str = "shard") -> str:
    """Name each problem once, with the partitions that have it."""
    having: dict[str, list[Partition]] = {}
    for key, problem in sorted(problems.items()):
        having.setdefault(problem, []).append(key)
    return "; ".join(f"{noun} {', '.join(map(str, keys))}: {problem}" for problem, keys in having.items())
