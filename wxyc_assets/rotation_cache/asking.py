"""Asks LML to warm one batch of identities and judges what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from resources.deploy_gate.gate import Diagnosed
from resources.lml.errors import LmlBrokenAnswer, LmlError
from resources.lml.models import RefreshAnswer
from wxyc_assets.rotation_cache.counters import Counters
from wxyc_assets.rotation_cache.verdicts import Judgement, judge, unanswered

CALLER = "rotation-artist-backfill"
"""The name that this job goes by in log lines, spans and Sentry; all know it from the predecessor."""

ANSWERED = 200


class Refresher(Diagnosed, Protocol):
    """The calls of LML that a run makes."""

    def refresh_for_identities(self, identity_ids: Sequence[int]) -> RefreshAnswer:
        """Warm the cache for a batch; raises LmlError."""


@dataclass(frozen=True)
class Answered:
    """What LML said about a batch, judged, and what it took.

    ``results`` is how many answers there were. ``error``: there was no list of any, and every identity is ``lml_error``.
    """

    judgement: Judgement
    results: int
    effort: Counters
    error: LmlError | None = None

    @property
    def malformed(self) -> bool:
        """Whether LML said that all was well, and then anything but a list of results."""
        return isinstance(self.error, LmlBrokenAnswer) and self.error.status == ANSWERED and not self.error.retryable


def ask(lml: Refresher, identity_ids: Sequence[int]) -> Answered:
    """Ask about a batch and judge the answer; off the run's thread, so that several can be under way."""
    try:
        answer = lml.refresh_for_identities(identity_ids)
    except LmlError as error:
        lost = Judgement([unanswered(identity_id) for identity_id in identity_ids])
        effort = _effort(error.calls, error.latency_ms).plus(batch_error=len(identity_ids))
        return Answered(lost, 0, effort, error)
    judgement = judge(identity_ids, answer.results)
    beside = {"answer_missing": judgement.missing, "answers_untrusted": len(judgement.untrusted)}
    return Answered(judgement, len(answer.results), _effort(answer.calls, answer.latency_ms).plus(**beside))


def _effort(calls: int, latency_ms: float) -> Counters:
    return Counters(batches=1, lml_total_calls=calls, lml_total_latency_ms=round(latency_ms))
