"""Walks the candidates: asks LML about several rows at once, and writes the answers in small batches while it asks on."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import islice

from wxyc_assets.askers import Askers, ask_ahead, awaited
from wxyc_assets.progress import Progress
from wxyc_assets.rotation_identity.asking import Answered, Resolver, ask
from wxyc_assets.rotation_identity.counters import Counters
from wxyc_assets.rotation_identity.row_log import RowLog
from wxyc_assets.rotation_identity.verdicts import Candidate
from wxyc_assets.rotation_identity.writer import Writer

IN_FLIGHT = 8
"""Rows that are asked about at once; the client paces the starts."""

ASKED_AHEAD = 32
"""Rows that are asked about, or whose answer waits to be written: one slow answer leaves no thread idle for long."""

WRITTEN_AT_ONCE = 20
"""Rows of one transaction: it moves the library's watermark once, and holds its locks for milliseconds."""


@dataclass(frozen=True)
class _Asked:
    """A row whose answer is on its way."""

    answer: Future[Answered]


@dataclass(frozen=True)
class Walk:
    """One pass over some rows. Answers are written in the order of asking, whatever order they come in."""

    lml: Resolver
    writer: Writer
    rows: RowLog
    progress: Progress

    def run(self, candidates: Sequence[Candidate]) -> None:
        """Ask about every row and write what LML says; raises psycopg.Error where the database cannot go on."""
        askers: Askers[Answered] = Askers(IN_FLIGHT)
        try:
            answers = (awaited(asked.answer) for asked in ask_ahead(self._ask(candidates, askers), ASKED_AHEAD))
            while batch := list(islice(answers, WRITTEN_AT_ONCE)):
                self._write(batch)
        finally:
            askers.leave()
            self.rows.finish()

    def _ask(self, candidates: Sequence[Candidate], askers: Askers[Answered]) -> Iterator[_Asked]:
        return (_Asked(askers.submit(partial(ask, self.lml, candidate))) for candidate in candidates)

    def _write(self, batch: Sequence[Answered]) -> None:
        self.rows.answered(batch)
        effort = sum((one.effort for one in batch), Counters())
        self.rows.written(self.writer.write([one.outcome for one in batch], effort))
        self.progress.advance(len(batch))
