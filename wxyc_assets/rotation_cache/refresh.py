"""Warms batch after batch: asks LML about a few at once, and tallies each while later ones are being asked."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from wxyc_assets.askers import Askers, ask_ahead, awaited
from wxyc_assets.pace import Pace
from wxyc_assets.progress import Progress
from wxyc_assets.rotation_cache.asking import Answered, Refresher, ask
from wxyc_assets.rotation_cache.batch_log import BatchLog
from wxyc_assets.rotation_cache.plan import Plan
from wxyc_assets.rotation_cache.tally import Tally


@dataclass(frozen=True)
class _Asked:
    """A batch with its answer on the way."""

    identity_ids: Sequence[int]
    answer: Future[Answered]


@dataclass
class Refresh:
    """All batches of one plan; what was counted is in ``tally``, also when it is left by an exception."""

    plan: Plan
    lml: Refresher
    tally: Tally
    batches: BatchLog
    progress: Progress
    pace: Pace

    def run(self) -> None:
        """Ask about every identity. A batch that fails costs no other; raises psycopg.Error when the database is gone."""
        in_flight = self.plan.batching.in_flight
        left = len(self.plan.identity_ids)
        askers: Askers[Answered] = Askers(in_flight)
        try:
            for asked in ask_ahead(self._ask(askers), in_flight):
                answered = awaited(asked.answer)
                left -= len(asked.identity_ids)
                self.batches.answered(answered)
                self.tally.add(answered.judgement.outcomes, answered.effort, calls_left=self.pace.calls(left))
                self.progress.advance(len(asked.identity_ids))
            self.tally.complete()
        finally:
            askers.leave()

    def _ask(self, askers: "Askers[Answered]") -> Iterator[_Asked]:
        for batch in self.plan.batches:
            yield _Asked(batch, askers.submit(lambda batch=batch: ask(self.lml, batch)))  # type: ignore[misc]
