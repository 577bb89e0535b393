"""Asks LML to warm one batch of identities and classifies its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from resources.deploy_gate.gate import LmlDiagnostics
from resources.lml.errors import LmlBrokenAnswer
from resources.lml.models import RefreshAnswer
from wxyc_assets.assets.rotation_cache.counters import Counters
from wxyc_assets.assets.rotation_cache.verdicts import Classification, classify, refused, unanswered
from wxyc_assets.runs.bisecting_call import IsolatingCaller, Part

CALLER = "rotation-artist-backfill"
"""The name of this job in log lines, spans and Sentry, as the predecessor had it."""

HTTP_OK = 200


class Refresher(LmlDiagnostics, Protocol):
    """The LML endpoints that a run calls."""

    def refresh_for_identities(self, identity_ids: Sequence[int]) -> RefreshAnswer:
        """Warm the cache for a batch; raises LmlError."""


@dataclass(frozen=True)
class Reply:
    """LML's reply to one batch, classified.

    ``results``: the number of answers. ``failed``: why LML gave no list of answers about some identities, and these; each of
    them is ``lml_error``.
    """

    classification: Classification
    results: int
    call_counters: Counters
    failed: Sequence[tuple[Exception, Sequence[int]]] = ()


def is_malformed(error: Exception) -> bool:
    """Return whether LML answered 200 with a body that is not a list of results."""
    return isinstance(error, LmlBrokenAnswer) and error.status == HTTP_OK and not error.retryable


def request_refresh(lml: Refresher, identity_ids: Sequence[int], caller: IsolatingCaller) -> Reply:
    """Ask LML to warm a batch, in a worker thread, and classify the answers."""
    asked = caller.ask(identity_ids, lml.refresh_for_identities)
    parts = [_classified(part) for part in asked.parts]
    whole = Classification(
        [outcome for part in parts for outcome in part.outcomes],
        [answer for part in parts for answer in part.untrusted],
    )
    missing = sum(part.missing for part, one in zip(parts, asked.parts, strict=True) if one.answer)
    counters = Counters(
        batches=1,
        batch_error=sum(len(ids) for _, ids in asked.failed),
        answer_missing=missing,
        answers_untrusted=len(whole.untrusted),
        lml_total_calls=asked.calls,
        lml_total_latency_ms=round(asked.latency_ms),
    )
    results = sum(len(part.answer.results) for part in asked.parts if part.answer)
    return Reply(whole, results, counters, asked.failed)


def _classified(part: Part[int, RefreshAnswer]) -> Classification:
    if part.answer:
        return classify(part.inputs, part.answer.results)
    if part.refused and part.error:
        return Classification([refused(identity_id, part.error) for identity_id in part.inputs])
    return Classification([unanswered(identity_id) for identity_id in part.inputs])
