"""Chooses the price book of each hour: the one in force, the one it was billed with, or the one that an operator named."""

from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.price_book.load import stored_price_book
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.runs.partitions import hour_key


class NoPriceBookError(Exception):
    """An hour has no price book that could bill it."""


@dataclass(frozen=True)
class Pricing:
    """The price books of one run.

    Attributes:
        current: the prices of the run: those in force, or those that an operator named.
        hold: whether an hour that was billed with other prices keeps them.
        named: whether an operator named the prices, so that they hold for every hour of the run.
    """

    current: PriceBook
    hold: bool = False
    named: bool = False
    _loaded: dict[str, PriceBook] = field(default_factory=dict, repr=False)

    def book_for(self, connection: psycopg.Connection, hour: datetime) -> PriceBook:
        """Return the prices of an hour. Raises NoPriceBookError if there are none; PriceFileError if they are damaged."""
        is_early = self.current.effective_from is not None and hour < self.current.effective_from
        if self.named or not (self.hold or is_early):
            return self.current
        billed_with = store.price_digest_of(connection, hour)
        if billed_with == self.current.digest:
            return self.current
        if billed_with is not None:
            return self._stored(connection, billed_with)
        return self._earlier(connection, hour) if is_early else self.current

    def is_held(self, book: PriceBook, hour: datetime) -> bool:
        """Return whether an hour keeps these prices only because the run holds them."""
        in_force = self.current.effective_from is None or hour >= self.current.effective_from
        return in_force and book.digest != self.current.digest

    def _stored(self, connection: psycopg.Connection, digest: str) -> PriceBook:
        if digest not in self._loaded:
            self._loaded[digest] = load_stored(connection, digest)
        return self._loaded[digest]

    def _earlier(self, connection: psycopg.Connection, hour: datetime) -> PriceBook:
        """Return the prices before the current ones: the latest that were used and were in force in that hour."""
        for digest in store.price_digests(connection):
            book = self._stored(connection, digest) if digest != self.current.digest else self.current
            if book.effective_from is None or book.effective_from <= hour:
                return book
        raise NoPriceBookError(
            f"{hour_key(hour)} is before effective_from of the price file, and no earlier price file was ever rated with: "
            "name one with --prices, or leave effective_from out"
        )


def load_stored(connection: psycopg.Connection, digest: str) -> PriceBook:
    """Return the stored prices whose digest begins so. Raises NoPriceBookError unless exactly one does; PriceFileError."""
    found = store.price_books(connection, digest)
    if len(found) != 1:
        problem = "several price books" if found else "no price book"
        raise NoPriceBookError(
            f"{problem} of this station has a digest that begins with {digest}: `wxyc prices list` lists them"
        )
    ((full, content),) = found
    return stored_price_book(content, full)
