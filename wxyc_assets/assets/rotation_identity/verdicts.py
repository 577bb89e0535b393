"""Judges what LML says a rotation row's identity is: only a plausible id of a release is ever written. Pure.

An answer belongs to the call that it answers, so nothing has to be matched. Source: DESIGN section 6,
contract/rotation-cache.md, contract/lml-http.md.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from resources.lml.models import ResolvedIdentity
from wxyc_assets.evidence import digest
from wxyc_assets.rotation_identity.counters import Bucket, Counters

LARGEST_ID = 2**31 - 1
"""What the column ``rotation.lml_identity_id`` holds at most."""

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Candidate:
    """One input: an active rotation row without an identity, and its Discogs release as it was read."""

    rotation_id: int
    discogs_release_id: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one row.

    Attributes:
        candidate: the row.
        bucket: what it is counted as; ``resolved`` until it is known whether the row could be written.
        identity_id: what is to be written; only ever set in bucket ``resolved``.
        reason: what a person is told, in the buckets that lost something.
        payload_digest: SHA-256 of what was refused, hex, where the row is quarantined.
    """

    candidate: Candidate
    bucket: Bucket
    identity_id: int | None = None
    reason: str = ""
    payload_digest: str = ""


def judge(candidate: Candidate, answer: ResolvedIdentity) -> Outcome:
    """Take over the identity, or say what cannot be right about it."""
    if answer.kind != "release":
        wrong = f"kind {answer.kind!r} of a release"
    elif not 1 <= answer.identity_id <= LARGEST_ID:
        wrong = f"identity_id {answer.identity_id}, which is not in 1 to {LARGEST_ID}"
    else:
        return Outcome(candidate, "resolved", answer.identity_id)
    reason = f"breaks the contract: {wrong}"[:LONGEST_REASON]
    return Outcome(candidate, "contract_violation", reason=reason, payload_digest=digest(answer.model_dump()))


def counted(outcomes: Sequence[Outcome]) -> Counters:
    """Count every row once."""
    buckets: Counter[str] = Counter(outcome.bucket for outcome in outcomes)
    return Counters(scanned=len(outcomes), **buckets)
