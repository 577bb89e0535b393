"""Asks LML once about each artist and title of a run: the albums that share them share the answer."""

from collections.abc import Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from wxyc_assets.assets.album_metadata.lml_requests import Reply
from wxyc_assets.assets.album_metadata.verdicts import Album, Name, Outcome
from wxyc_assets.runs.worker_pool import wait_for_result


class Repeat(NamedTuple):
    """An album whose question was sent for another album, and where its answer will be."""

    album: Album
    answer: Future[Reply]
    position: int

    def outcome(self) -> Outcome:
        """Return the outcome of the other album for this one; waits for the answer."""
        shared = wait_for_result(self.answer).classification.outcomes[self.position]
        if shared.bucket == "unexpected_index":  # this album has no position of its own
            reason = f"asked together with album {shared.album_id}, whose answer had an unexpected index"
            return Outcome(self.album.album_id, "error", reason=reason)
        row = replace(shared.row, album_id=self.album.album_id) if shared.row else None
        return replace(shared, album_id=self.album.album_id, row=row)


@dataclass
class AskedNames:
    """The questions that a run has sent, of the names that several of its albums have."""

    repeated: Collection[Name]
    _asked: dict[Name, tuple[Future[Reply], int]] = field(default_factory=dict, init=False)

    def first_of_each(self, albums: Sequence[Album]) -> list[Album]:
        """Return the albums whose names the run has not asked about: of several with equal names, the first."""
        if not self.repeated:
            return list(albums)
        seen: set[Name] = set()
        firsts: list[Album] = []
        for album in albums:
            name = album.name
            if name not in self.repeated or (name not in self._asked and name not in seen):
                firsts.append(album)
            seen.add(name)
        return firsts

    def record(self, asked: Sequence[Album], answer: Future[Reply]) -> None:
        """Remember where the answers about these albums will be."""
        for position, album in enumerate(asked if self.repeated else ()):
            if (name := album.name) in self.repeated:
                self._asked[name] = (answer, position)

    def repeats(self, albums: Sequence[Album], asked: Sequence[Album]) -> list[Repeat]:
        """Return the albums of a batch that were not asked, with the answers that they share."""
        ids = {album.album_id for album in asked}
        return [Repeat(album, *self._asked[album.name]) for album in albums if album.album_id not in ids]
