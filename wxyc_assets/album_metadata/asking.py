"""Asks LML about one batch of albums and judges what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from resources.lml.endpoints import BELIEVABLE_CALLS
from resources.lml.errors import LmlError, LmlRateLimited, LmlUnavailable
from resources.lml.models import BulkLookupAnswer, LookupItem
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.verdicts import Album, Judgement, Outcome, judge

CALLER = "album-level-backfill"
"""The name that this job goes by at LML, in log lines and in Sentry; all three know it from the predecessor."""

HELD_BACK = (LmlUnavailable, LmlRateLimited)
"""LML is left alone, or asked for fewer calls: nothing was wrong with the albums, and they wait for the next run."""


class Lookup(Protocol):
    """The one call of LML that a drain makes."""

    def bulk_lookup(self, items: Sequence[LookupItem], *, budget_ms: int, caller: str) -> BulkLookupAnswer:
        """Ask about a batch; raises LmlError."""


@dataclass(frozen=True)
class Answered:
    """What LML said about a batch, judged, and what it took.

    ``results`` is how many answers there were. ``error``: there were none, and the albums are ``error`` or ``deferred``.
    """

    judgement: Judgement
    results: int
    effort: Counters
    error: LmlError | None = None

    @property
    def held_back(self) -> bool:
        """Whether the batch was not refused for anything of its own."""
        return isinstance(self.error, HELD_BACK)


def ask(lml: Lookup, albums: Sequence[Album], budget_ms: int) -> Answered:
    """Ask about a batch and judge the answer; off the drain's thread, so that the database need not wait for either."""
    items = [
        LookupItem.model_construct(
            artist=album.artist_name,
            album=album.album_title,
            raw_message=f"{album.artist_name} - {album.album_title}",
        )
        for album in albums
    ]
    try:
        answer = lml.bulk_lookup(items, budget_ms=budget_ms, caller=CALLER)
    except LmlError as error:
        return _unanswered(albums, error)
    discogs_calls = answer.cache_stats.api_calls if answer.cache_stats else 0
    effort = _effort(answer.calls, answer.latency_ms).plus(discogs_calls=min(discogs_calls, BELIEVABLE_CALLS))
    return Answered(judge(albums, answer.results), len(answer.results), effort)


def _unanswered(albums: Sequence[Album], error: LmlError) -> Answered:
    effort = _effort(error.calls, error.latency_ms)
    if isinstance(error, HELD_BACK):
        outcomes = [Outcome(album.album_id, "deferred") for album in albums]
        return Answered(Judgement(outcomes), 0, effort.plus(lml_deferred=len(albums)), error)
    outcomes = [Outcome(album.album_id, "error") for album in albums]
    return Answered(Judgement(outcomes), 0, effort.plus(batch_error=len(albums)), error)


def _effort(calls: int, latency_ms: float) -> Counters:
    return Counters(lml_total_calls=calls, lml_total_latency_ms=round(latency_ms))
