"""Asks LML for the identity of one release and judges what it says."""

from dataclasses import dataclass
from typing import Protocol

from resources.lml.errors import LmlError, LmlRequestError
from resources.lml.models import ResolvedIdentity
from wxyc_assets.rotation_identity.counters import Counters
from wxyc_assets.rotation_identity.verdicts import Candidate, Outcome, judge

CALLER = "rotation-lml-identity-backfill"
"""The name that this job goes by in log lines, spans and Sentry; all know it from the predecessor."""

NO_IDENTITY = 422


class Resolver(Protocol):
    """The one call of LML that a walk makes."""

    def resolve_identity(self, discogs_release_id: int) -> ResolvedIdentity:
        """Ask for the identity of a release; raises LmlError."""


@dataclass(frozen=True)
class Answered:
    """What came of asking about one row, and what it took. ``error``: why there was no answer, in bucket ``lml_error``."""

    outcome: Outcome
    effort: Counters
    error: LmlError | None = None


def ask(lml: Resolver, candidate: Candidate) -> Answered:
    """Ask about one row; off the walk's thread. A release without an identity is an answer, every other refusal is none."""
    try:
        answer = lml.resolve_identity(candidate.discogs_release_id)
    except LmlError as error:
        effort = _effort(error.calls, error.latency_ms)
        if isinstance(error, LmlRequestError) and error.status == NO_IDENTITY:
            return Answered(Outcome(candidate, "unresolved"), effort)
        return Answered(Outcome(candidate, "lml_error", reason=str(error)), effort, error)
    return Answered(judge(candidate, answer), _effort(answer.calls, answer.latency_ms))


def _effort(calls: int, latency_ms: float) -> Counters:
    return Counters(lml_total_calls=calls, lml_total_latency_ms=round(latency_ms))
