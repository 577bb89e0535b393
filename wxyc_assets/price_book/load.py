"""Loads a price file: read, checked, resolved, or refused with everything that is wrong with it."""

from pathlib import Path

from resources.price_file import PriceFileError, read
from resources.yaml_text import Problem
from wxyc_assets.price_book.book import PriceBook
from wxyc_assets.price_book.resolution import resolve
from wxyc_assets.price_book.rules import check

NOT_SET = "PRICE_FILE is not set: without prices nothing is rated, never at $0"


def load_price_book(path: Path | None) -> PriceBook:
    """Return the prices in a file; ``path`` is the setting PRICE_FILE, None where that is unset.

    Raises PriceFileError, whose ``problems`` are every violation as ``line N: what is wrong``, in the order of the lines.
    """
    if path is None:
        raise PriceFileError(None, [Problem(None, NOT_SET)])
    file = read(path)
    declared, violations = check(file.root)
    problems = sorted([*file.problems, *violations], key=lambda problem: problem.line or 0)
    if problems:
        raise PriceFileError(path, problems, file.digest)
    return resolve(declared, file.digest)
