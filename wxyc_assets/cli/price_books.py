"""Loads the price book that an operator named: a file, or one that usage was rated with."""

import re
from pathlib import Path

import psycopg

from resources.price_file import PriceFileError
from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.price_book.load import load_price_book
from wxyc_assets.assets.rated_usage.pricing import NoPriceBookError, load_stored
from wxyc_assets.cli.outcome import CannotError

DIGEST = re.compile("[0-9a-f]{6,64}")


def load_named(connection: psycopg.Connection, name: str) -> PriceBook:
    """Return the prices in the file ``name``; if there is no such file, the stored ones whose digest begins so.

    Raises CannotError with every problem of the file.
    """
    try:
        if DIGEST.fullmatch(name) and not Path(name).exists():
            return load_stored(connection, name)
        return load_price_book(Path(name))
    except (PriceFileError, NoPriceBookError) as error:
        raise CannotError(str(error)) from error
