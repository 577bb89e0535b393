"""Asks LML about one page and judges what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from resources.lml.errors import LmlError
from resources.lml.models import BulkResolveAnswer, LibraryInput
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.verdicts import Judgement, Library, Outcome, judge


class Resolver(Protocol):
    """The one call of LML that a drain makes."""

    def bulk_resolve_libraries(self, inputs: Sequence[LibraryInput]) -> BulkResolveAnswer:
        """Ask about a page; raises LmlError."""


@dataclass(frozen=True)
class Answered:
    """What LML said about a page, judged, and what it took.

    ``results`` is how many answers there were. ``error``: there were none, and every input of the page is ``lml_error``.
    """

    judgement: Judgement
    results: int
    effort: Counters
    error: LmlError | None = None


def ask(lml: Resolver, page: Sequence[Library]) -> Answered:
    """Ask about a page and judge the answer; off the lane's thread, so that the database need not wait for either."""
    inputs = [
        LibraryInput.model_construct(
            library_id=library.library_id,
            artist_name=library.artist_name,
            album_title=library.album_title,
            legacy_release_id=library.legacy_release_id,
        )
        for library in page
    ]
    try:
        answer = lml.bulk_resolve_libraries(inputs)
    except LmlError as error:
        lost = [Outcome(library.library_id, "lml_error") for library in page]
        return Answered(Judgement(lost), 0, _effort(error.calls, error.latency_ms), error)
    judgement = judge(page, answer.results)
    return Answered(judgement, len(answer.results), _effort(answer.calls, answer.latency_ms))


def _effort(calls: int, latency_ms: float) -> Counters:
    return Counters(lml_total_calls=calls, lml_total_latency_ms=round(latency_ms))
