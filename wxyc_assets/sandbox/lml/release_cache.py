"""The cache of the simulated Discogs: which releases need no call. In a file it outlives the server, as LML's own does."""

from contextlib import suppress
from pathlib import Path


class ReleaseCache:
    """The first ``cold_items`` releases that are requested are cold until they are warmed; all others are warm.

    ``cold_items`` 0 means that all are warm, None that all are cold. Each change is one line that is appended to ``file``, so
    that a killed server loses nothing and two servers may share it. Without a file, or if it cannot be written, the cache ends
    with the server.
    """

    def __init__(self, cold_items: int | None, file: Path | None = None) -> None:
        self._cold_items = cold_items
        self._file = file
        self._cold: set[str] = set()
        self._warmed: set[str] = set()
        for line in self._stored_lines():
            state, _, release = line.partition(" ")
            (self._warmed if state == "warm" else self._cold).add(release)

    def __contains__(self, release: str) -> bool:
        """Whether the release needs no call; a cold one stays cold until ``warm``, however often callers request it."""
        if release in self._warmed:
            return True
        if release not in self._cold:
            if self._cold_items is not None and len(self._cold) >= self._cold_items:
                return True
            self._cold.add(release)
            self._store("cold", release)
        return False

    def warm(self, release: str) -> None:
        """Put the release into the cache."""
        if release not in self._warmed:
            self._warmed.add(release)
            self._store("warm", release)

    def _stored_lines(self) -> list[str]:
        with suppress(OSError):
            if self._file:
                return self._file.read_text().splitlines()
        return []

    def _store(self, state: str, release: str) -> None:
        with suppress(OSError):
            if self._file:
                with self._file.open("a") as stored:
                    stored.write(f"{state} {release}\n")
