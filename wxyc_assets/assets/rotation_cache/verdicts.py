"""Classifies LML's answers to one refresh: the outcome of each identity that it was asked to warm. Pure.

Answers are matched by ``identity_id``, never by position. Only the counted fields are read. A field that is null or malformed
counts as 0: a source or an artist more or less changes no status. Source: contract/rotation-cache.md.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wxyc_assets.assets.rotation_cache.counters import Bucket, Counters
from wxyc_assets.runs.digest import digest, first_problem

BUCKETS: Mapping[str, Bucket] = {
    "warmed": "warmed",
    "not_found": "not_found",
    "not_implemented": "not_implemented",
    "error": "lml_error",
}
"""The bucket of each status in the contract."""

MAX_STATUS_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one identity.

    Attributes:
        identity_id: the identity.
        bucket: the counter that counts it.
        answered: whether the answers include one for this identity.
        releases, artists: how many releases of its sources, and how many of their artists, were warmed.
        unknown_status: the status of its answer if the contract does not have it, shortened for a log line.
        payload_digest: SHA-256 of the answer, hex, in bucket ``not_found``.
        refusal: why LML refuses the identity even when it is asked about it alone, or why its answer cannot be read.
    """

    identity_id: int
    bucket: Bucket
    answered: bool = True
    releases: int = 0
    artists: int = 0
    unknown_status: str | None = None
    payload_digest: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class Classification:
    """An outcome for each identity, in the order of the request, and the answers that belong to none of them."""

    outcomes: list[Outcome]
    untrusted: list[Any] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """The number of identities without an answer."""
        return sum(not outcome.answered for outcome in self.outcomes)

    @property
    def unknown_statuses(self) -> list[str]:
        """Each status that the contract does not have, once, in the order of the identities."""
        return list(dict.fromkeys(o.unknown_status for o in self.outcomes if o.unknown_status is not None))


def classify(identity_ids: Sequence[int], results: Sequence[Any]) -> Classification:
    """Give every identity exactly one outcome; of several answers for one, the first counts and the others are untrusted."""
    asked = set(identity_ids)
    answers: dict[int, Any] = {}
    untrusted: list[Any] = []
    for result in results:
        identity_id = result.get("identity_id") if isinstance(result, Mapping) else None
        # isinstance would accept a bool as an int. A float or a text is no identity.
        if type(identity_id) is not int or identity_id not in asked or identity_id in answers:
            untrusted.append(result)
        else:
            answers[identity_id] = result
    return Classification(
        [_classified(one, answers[one]) if one in answers else unanswered(one) for one in identity_ids], untrusted
    )


def _classified(identity_id: int, answer: Mapping[str, Any]) -> Outcome:
    """Classify one answer; whatever it causes, it causes to its own identity."""
    try:
        return classify_answer(identity_id, answer)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - an answer can hold anything that JSON can
        return refused(identity_id, error)


def classify_answer(identity_id: int, answer: Mapping[str, Any]) -> Outcome:
    """Classify the answer for one identity."""
    status = answer.get("status")
    bucket = BUCKETS.get(status) if isinstance(status, str) else None
    if bucket is None:
        return Outcome(identity_id, "lml_error", unknown_status=_status_text(status))
    if bucket == "not_found":
        return Outcome(identity_id, bucket, payload_digest=digest(answer))
    if bucket != "warmed":
        return Outcome(identity_id, bucket)
    releases, artists = _count_warmed(answer.get("sources"))
    return Outcome(identity_id, bucket, releases=releases, artists=artists)


def unanswered(identity_id: int) -> Outcome:
    """Return the outcome of an identity without an answer."""
    return Outcome(identity_id, "lml_error", answered=False)


def refused(identity_id: int, error: Exception) -> Outcome:
    """Return the outcome of an identity that LML refuses even when asked about it alone, or whose answer cannot be read."""
    return Outcome(identity_id, "lml_error", refusal=first_problem(error), payload_digest=digest(identity_id))


def count_outcomes(outcomes: Sequence[Outcome]) -> Counters:
    """Count every identity once, and the releases and artists that were warmed."""
    buckets: Counter[str] = Counter(outcome.bucket for outcome in outcomes)
    return Counters(
        identities_scanned=len(outcomes),
        identities_resolved=sum(outcome.bucket != "lml_error" for outcome in outcomes),
        warmed_releases=sum(outcome.releases for outcome in outcomes),
        warmed_artists=sum(outcome.artists for outcome in outcomes),
        lml_refused=sum(outcome.refusal != "" for outcome in outcomes),
        unknown_status=sum(outcome.unknown_status is not None for outcome in outcomes),
        **buckets,
    )


def _count_warmed(sources: object) -> tuple[int, int]:
    """Count the releases and artists that were warmed. The artists of a failed release count as well."""
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


def _status_text(status: object) -> str:
    """Return an unknown status shortened for a log line; of a list or an object, only the type."""
    if isinstance(status, str):
        return status[:MAX_STATUS_LENGTH]
    return (
        json.dumps(status)[:MAX_STATUS_LENGTH]
        if status is None or isinstance(status, int | float)
        else type(status).__name__
    )
