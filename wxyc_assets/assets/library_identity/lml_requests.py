"""Sends one page to LML and classifies the answers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from resources.lml.models import BulkResolveAnswer, Health, LibraryInput
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.verdicts import Classification, Library, Outcome, classify, refused
from wxyc_assets.runs.bisecting_call import Asked, IsolatingCaller, Part


class Resolver(Protocol):
    """The calls of LML that a drain makes."""

    def bulk_resolve_libraries(
        self, inputs: Sequence[LibraryInput], *, include_tracks: bool = False
    ) -> BulkResolveAnswer:
        """Resolve the libraries of a page, with the tracks of compilations if asked; raises LmlError."""

    def health(self) -> Health:
        """Return LML's own health; raises LmlError."""


@dataclass(frozen=True)
class Reply:
    """LML's answer to one page, classified.

    Attributes:
        classification: an outcome for each library of the page.
        answered: about how many libraries LML gave an answer.
        results: how many answers LML gave.
        call_counters: how many HTTP calls the page took, and how long.
        arrived_s: when the answer had arrived, on the monotonic clock.
        failed: why LML gave no answer about some libraries, and how many; each of them is ``lml_error``.
    """

    classification: Classification
    answered: int
    results: int
    call_counters: Counters
    arrived_s: float = 0.0
    failed: Sequence[tuple[Exception, int]] = ()


def request_verdicts(lml: Resolver, page: Sequence[Library], caller: IsolatingCaller) -> Reply:
    """Send a page to LML and classify the answers. A pool thread runs this, so that the database waits for neither.

    LML is asked for tracks if the page holds libraries that are filed under various artists.
    """
    include_tracks = any(library.is_va for library in page)
    asked = caller.ask(
        page,
        lambda part: lml.bulk_resolve_libraries([_input(library) for library in part], include_tracks=include_tracks),
    )
    parts = [_classified(part) for part in asked.parts]
    return Reply(
        Classification(
            [outcome for part in parts for outcome in part.outcomes],
            [answer for part in parts for answer in part.untrusted],
        ),
        answered=sum(len(part.inputs) for part in asked.parts if part.answer),
        results=sum(len(part.answer.results) for part in asked.parts if part.answer),
        call_counters=_call_counters(asked),
        arrived_s=time.monotonic(),
        failed=[(error, len(libraries)) for error, libraries in asked.failed],
    )


def _input(library: Library) -> LibraryInput:
    return LibraryInput.model_construct(
        library_id=library.library_id,
        artist_name=library.artist_name,
        album_title=library.album_title,
        legacy_release_id=library.legacy_release_id,
    )


def _classified(part: Part[Library, BulkResolveAnswer]) -> Classification:
    if part.answer:
        return classify(part.inputs, part.answer.results, reads_tracks=part.answer.keeps_tracks_contract)
    if part.refused and part.error:
        return Classification([refused(library, part.error) for library in part.inputs])
    return Classification([Outcome(library.library_id, "lml_error") for library in part.inputs])


def _call_counters(asked: Asked[Library, BulkResolveAnswer]) -> Counters:
    return Counters(lml_total_calls=asked.calls, lml_total_latency_ms=round(asked.latency_ms))
