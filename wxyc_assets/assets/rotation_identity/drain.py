"""Drains the candidates: LML calls for several rows run in parallel while their answers are written in small batches."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import islice

from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.lml_requests import Reply, Resolver, request_identity
from wxyc_assets.assets.rotation_identity.run_log import RowLog
from wxyc_assets.assets.rotation_identity.verdicts import Candidate
from wxyc_assets.assets.rotation_identity.writer import Writer
from wxyc_assets.runs.progress import Progress
from wxyc_assets.runs.worker_pool import WorkerPool, prefetch, wait_for_result

IN_FLIGHT = 8
"""LML calls at the same time; the client limits the rate at which they start."""

LOOKAHEAD = 32
"""Rows whose call runs or whose answer waits to be written: enough that one slow answer leaves no thread idle for long."""

BATCH_SIZE = 20
"""Rows per transaction: it moves the library's watermark once, and holds its locks for milliseconds."""


@dataclass(frozen=True)
class _Pending:
    """A row whose LML call is in flight."""

    answer: Future[Reply]


@dataclass(frozen=True)
class Drain:
    """One pass over the candidates. Answers are written in the order of the candidates, in whatever order they arrive."""

    lml: Resolver
    writer: Writer
    row_log: RowLog
    progress: Progress

    def run(self, candidates: Sequence[Candidate]) -> None:
        """Ask about every row and write the answers; raises psycopg.Error if the database fails."""
        pool: WorkerPool[Reply] = WorkerPool(IN_FLIGHT)
        try:
            replies = (wait_for_result(sent.answer) for sent in prefetch(self._send(candidates, pool), LOOKAHEAD))
            while batch := list(islice(replies, BATCH_SIZE)):
                self._write(batch)
        finally:
            pool.shutdown()
            self.row_log.log_failures()

    def _send(self, candidates: Sequence[Candidate], pool: WorkerPool[Reply]) -> Iterator[_Pending]:
        return (_Pending(pool.submit(partial(request_identity, self.lml, candidate))) for candidate in candidates)

    def _write(self, batch: Sequence[Reply]) -> None:
        self.row_log.add_failures(batch)
        call_counters = sum((reply.call_counters for reply in batch), Counters())
        self.row_log.log_rejected(self.writer.write([reply.outcome for reply in batch], call_counters))
        self.progress.advance(len(batch))
