"""Asks LML for the identity of one release and classifies its answer."""

from dataclasses import dataclass
from typing import Protocol

import psycopg

from resources.lml.errors import REFUSALS, LmlError, LmlRequestError
from resources.lml.models import ResolvedIdentity
from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.verdicts import Candidate, Outcome, classify
from wxyc_assets.runs.digest import digest, first_problem

CALLER = "rotation-lml-identity-backfill"
"""The name of this job in log lines, spans and Sentry, as the predecessor had it."""

HTTP_NO_IDENTITY = 422


class Resolver(Protocol):
    """The only LML endpoint that this asset calls."""

    def resolve_identity(self, discogs_release_id: int) -> ResolvedIdentity:
        """Ask for the identity of a release; raises LmlError."""


@dataclass(frozen=True)
class Reply:
    """LML's reply for one row: its outcome, and the counters of the calls. ``error``: why the row is ``lml_error``."""

    outcome: Outcome
    call_counters: Counters
    error: LmlError | None = None


def request_identity(lml: Resolver, candidate: Candidate) -> Reply:
    """Ask about one row, in a worker thread; whatever the row or its answer causes, it causes to the row alone.

    A 422 is an answer: the release has no identity. A 400 or 413 refuses the row itself, which is quarantined.
    """
    calls = Counters()
    try:
        answer = lml.resolve_identity(candidate.discogs_release_id)
        calls = _call_counters(answer.calls, answer.latency_ms)
        return Reply(classify(candidate, answer), calls)
    except LmlError as error:
        call_counters = _call_counters(error.calls, error.latency_ms)
        if isinstance(error, LmlRequestError) and error.status == HTTP_NO_IDENTITY:
            return Reply(Outcome(candidate, "unresolved"), call_counters)
        if error.status in REFUSALS:
            return Reply(_refused(candidate, error), call_counters)
        return Reply(Outcome(candidate, "lml_error", reason=str(error)), call_counters, error)
    except (MemoryError, psycopg.Error):
        raise  # of the process or the database: no row causes them
    except Exception as error:  # noqa: BLE001 - an answer can hold anything that JSON can
        return Reply(_refused(candidate, error), calls)


def _refused(candidate: Candidate, error: Exception) -> Outcome:
    return Outcome(
        candidate,
        "contract_violation",
        reason=first_problem(error),
        payload_digest=digest(candidate.discogs_release_id),
    )


def _call_counters(calls: int, latency_ms: float) -> Counters:
    return Counters(lml_total_calls=calls, lml_total_latency_ms=round(latency_ms))
