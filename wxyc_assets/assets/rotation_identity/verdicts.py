"""Classifies LML's answer for one rotation row: only a plausible identity of a release is ever written. Pure.

Each answer belongs to the call that it answers, so answers need no matching. Source: DESIGN section 6,
contract/rotation-cache.md, contract/lml-http.md.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from resources.lml.models import ResolvedIdentity
from wxyc_assets.assets.rotation_identity.counters import Bucket, Counters
from wxyc_assets.runs.digest import digest

MAX_IDENTITY_ID = 2**31 - 1
"""The largest value of the column ``rotation.lml_identity_id``."""

MAX_REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """One input: an active rotation row without an identity, with the Discogs release that it had when it was read."""

    rotation_id: int
    discogs_release_id: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one row.

    Attributes:
        candidate: the row.
        bucket: the counter that counts it; a row is ``resolved`` until the write shows whether it could be written.
        identity_id: the identity to write; only set in bucket ``resolved``.
        reason: why the row was rejected or got no answer.
        payload_digest: SHA-256 of the rejected value, hex, if the row is quarantined.
    """

    candidate: Candidate
    bucket: Bucket
    identity_id: int | None = None
    reason: str = ""
    payload_digest: str = ""


def classify(candidate: Candidate, answer: ResolvedIdentity) -> Outcome:
    """Accept the identity, or reject it with the reason why it cannot be right."""
    if answer.kind != "release":
        problem = f"kind {answer.kind!r} of a release"
    elif not 1 <= answer.identity_id <= MAX_IDENTITY_ID:
        problem = f"identity_id {answer.identity_id}, which is not in 1 to {MAX_IDENTITY_ID}"
    else:
        return Outcome(candidate, "resolved", answer.identity_id)
    reason = f"breaks the contract: {problem}"[:MAX_REASON_LENGTH]
    return Outcome(candidate, "contract_violation", reason=reason, payload_digest=digest(answer.model_dump()))


def count_outcomes(outcomes: Sequence[Outcome]) -> Counters:
    """Count every row once."""
    buckets: Counter[str] = Counter(outcome.bucket for outcome in outcomes)
    return Counters(scanned=len(outcomes), **buckets)
