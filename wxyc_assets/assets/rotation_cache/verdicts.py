"""Judges the answer to one refresh: what LML did about each identity that it was asked to warm. Pure.

Answers are matched by ``identity_id``, never by position. Only what is counted is read, and what is null or has another shape
there counts as nothing: a source or an artist more or less changes no status. Source: contract/rotation-cache.md.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wxyc_assets.evidence import digest
from wxyc_assets.rotation_cache.counters import Bucket, Counters

BUCKETS: Mapping[str, Bucket] = {
    "warmed": "warmed",
    "not_found": "not_found",
    "not_implemented": "not_implemented",
    "error": "lml_error",
}
"""The statuses that the contract knows, and what an identity with each is counted as."""

LONGEST_CLAIM = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one identity.

    Attributes:
        identity_id: the identity.
        bucket: what it is counted as.
        answered: whether LML gave it an answer of its own.
        releases, artists: how many of its sources' releases, and of their artists, were warmed.
        unknown_status: the status of its answer where the contract knows none such, short enough for a log line.
        payload_digest: SHA-256 of the answer, hex, in bucket ``not_found``.
    """

    identity_id: int
    bucket: Bucket
    answered: bool = True
    releases: int = 0
    artists: int = 0
    unknown_status: str | None = None
    payload_digest: str = ""


@dataclass(frozen=True)
class Judgement:
    """One outcome an identity, in the order of asking, and the answers that belong to none."""

    outcomes: list[Outcome]
    untrusted: list[Any] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """Identities without an answer of their own."""
        return sum(not outcome.answered for outcome in self.outcomes)

    @property
    def unknown_statuses(self) -> list[str]:
        """Each status that nobody knows, once, in the order of the identities."""
        return list(dict.fromkeys(o.unknown_status for o in self.outcomes if o.unknown_status is not None))


def judge(identity_ids: Sequence[int], results: Sequence[Any]) -> Judgement:
    """Give every identity exactly one outcome; of several answers about one the first counts, and the others are untrusted."""
    asked = set(identity_ids)
    answers: dict[int, Any] = {}
    untrusted: list[Any] = []
    for result in results:
        identity_id = result.get("identity_id") if isinstance(result, Mapping) else None
        # A bool is an int to isinstance, and an identity that is a float or a text is none.
        if type(identity_id) is not int or identity_id not in asked or identity_id in answers:
            untrusted.append(result)
        else:
            answers[identity_id] = result
    return Judgement(
        [judge_one(one, answers[one]) if one in answers else unanswered(one) for one in identity_ids], untrusted
    )


def judge_one(identity_id: int, answer: Mapping[str, Any]) -> Outcome:
    """Judge the answer to one identity."""
    status = answer.get("status")
    bucket = BUCKETS.get(status) if isinstance(status, str) else None
    if bucket is None:
        return Outcome(identity_id, "lml_error", unknown_status=_claimed(status))
    if bucket == "not_found":
        return Outcome(identity_id, bucket, payload_digest=digest(answer))
    if bucket != "warmed":
        return Outcome(identity_id, bucket)
    releases, artists = _warmed(answer.get("sources"))
    return Outcome(identity_id, bucket, releases=releases, artists=artists)


def unanswered(identity_id: int) -> Outcome:
    """Return the outcome of an identity that LML said nothing about."""
    return Outcome(identity_id, "lml_error", answered=False)


def counted(outcomes: Sequence[Outcome]) -> Counters:
    """Count every identity once, with what was warmed of it."""
    buckets: Counter[str] = Counter(outcome.bucket for outcome in outcomes)
    return Counters(
        identities_scanned=len(outcomes),
        identities_resolved=sum(outcome.bucket != "lml_error" for outcome in outcomes),
        warmed_releases=sum(outcome.releases for outcome in outcomes),
        warmed_artists=sum(outcome.artists for outcome in outcomes),
        unknown_status=sum(outcome.unknown_status is not None for outcome in outcomes),
        **buckets,
    )


def _warmed(sources: object) -> tuple[int, int]:
    """Count the releases and the artists that were warmed. A failed release does not take its artists away."""
    releases = artists = 0
    for source in sources.values() if isinstance(sources, Mapping) else ():
        if isinstance(source, Mapping):
            releases += source.get("release_outcome") == "success"
            listed = source.get("artists")
            artists += sum(
                isinstance(artist, Mapping) and artist.get("outcome") == "success"
                for artist in (listed if isinstance(listed, list) else ())
            )
    return releases, artists


def _claimed(status: object) -> str:
    """Return what stands in the place of a status, short enough for a log line; what can be none at all only by its type."""
    if isinstance(status, str):
        return status[:LONGEST_CLAIM]
    return (
        json.dumps(status)[:LONGEST_CLAIM]
        if status is None or isinstance(status, int | float)
        else type(status).__name__
    )
