"""Sends one batch of albums to LML and classifies the answers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from resources.lml.endpoints import MAX_PLAUSIBLE_CALLS
from resources.lml.errors import LmlRateLimited, LmlUnavailable
from resources.lml.models import BulkLookupAnswer, Health, LookupItem
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.verdicts import Album, Classification, Outcome, classify, refused
from wxyc_assets.runs.bisecting_call import IsolatingCaller, Part

CALLER = "album-level-backfill"
"""The name of this job at LML, in log lines and in Sentry; all three know it from the predecessor."""

DEFERRING_ERRORS = (LmlUnavailable, LmlRateLimited)
"""The breaker is open, or LML asks for fewer calls. The albums are not at fault, and the next run asks about them."""


class Lookup(Protocol):
    """The calls of LML that a drain makes."""

    def bulk_lookup(self, items: Sequence[LookupItem], *, budget_ms: int, caller: str) -> BulkLookupAnswer:
        """Look up the albums of a batch; raises LmlError."""

    def health(self) -> Health:
        """Return LML's own health; raises LmlError."""


@dataclass(frozen=True)
class Reply:
    """LML's answer to one batch, classified.

    Attributes:
        classification: an outcome for each album of the batch.
        results: how many answers LML gave.
        call_counters: how many HTTP calls the batch took, how long, and what they cost at Discogs.
        arrived_s: when the answer had arrived, on the monotonic clock.
        failed: why LML gave no answer about some albums, and these; each of them is ``error`` or ``deferred``.
    """

    classification: Classification
    results: int
    call_counters: Counters
    arrived_s: float = 0.0
    failed: Sequence[tuple[Exception, Sequence[Album]]] = ()


def request_lookups(lml: Lookup, albums: Sequence[Album], budget_ms: int, caller: IsolatingCaller) -> Reply:
    """Send a batch to LML and classify the answers. A pool thread runs this, so that the database waits for neither."""
    asked = caller.ask(albums, lambda part: lml.bulk_lookup(_items(part), budget_ms=budget_ms, caller=CALLER))
    parts = [_classified(part) for part in asked.parts]
    answers = [part.answer for part in asked.parts if part.answer]
    discogs_calls = sum(min(one.cache_stats.api_calls, MAX_PLAUSIBLE_CALLS) for one in answers if one.cache_stats)
    return Reply(
        Classification(
            [outcome for part in parts for outcome in part.outcomes],
            [answer for part in parts for answer in part.surplus],
        ),
        results=sum(len(one.results) for one in answers),
        call_counters=Counters(
            lml_total_calls=asked.calls, lml_total_latency_ms=round(asked.latency_ms), discogs_calls=discogs_calls
        ),
        arrived_s=time.monotonic(),
        failed=asked.failed,
    )


def _classified(part: Part[Album, BulkLookupAnswer]) -> Classification:
    if part.answer:
        return classify(part.inputs, part.answer.results)
    if part.refused and part.error:
        return Classification([refused(album, part.error) for album in part.inputs])
    return Classification([_unanswered(album, part.error) for album in part.inputs])


def _items(albums: Sequence[Album]) -> list[LookupItem]:
    return [
        LookupItem.model_construct(
            artist=album.artist_name,
            album=album.album_title,
            raw_message=f"{album.artist_name} - {album.album_title}",
        )
        for album in albums
    ]


def _unanswered(album: Album, error: Exception | None) -> Outcome:
    """Return the outcome of an album of a call without an answer."""
    if isinstance(error, DEFERRING_ERRORS):
        return Outcome(album.album_id, "deferred", unanswered="lml_deferred")
    return Outcome(album.album_id, "error", unanswered="batch_error")
