"""Loads a price file: reads, validates and resolves it, or refuses it with all of its problems."""

from dataclasses import replace
from pathlib import Path

from resources.price_file import PriceFile, PriceFileError, read, read_content
from resources.yaml_text import Problem
from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.price_book.resolution import resolve
from wxyc_assets.assets.price_book.rules import validate

NOT_SET = "PRICE_FILE is not set: without prices no usage is rated, and never at $0"


def load_price_book(path: Path | None) -> PriceBook:
    """Return the prices in a file; ``path`` is the setting PRICE_FILE, None if it is unset.

    Raises PriceFileError; its ``problems`` are all violations as ``line N: what is wrong``, in the order of the lines.
    """
    if path is None:
        raise PriceFileError(None, [Problem(None, NOT_SET)])
    return _book(read(path))


def piped_price_book(content: bytes, path: Path) -> PriceBook:
    """Return the prices in bytes that came from no regular file; ``path`` names them. Raises as ``load_price_book`` does."""
    return _book(read_content(content, path))


def stored_price_book(content: bytes, digest: str) -> PriceBook:
    """Return the prices in the bytes of a file that was rated with before; raises PriceFileError if they are damaged."""
    path = Path(f"price book {digest}")
    file = read_content(content, path)
    if file.digest != digest:
        raise PriceFileError(path, [Problem(None, f"its bytes have the SHA-256 {file.digest}")], file.digest)
    return _book(file)


def _book(file: PriceFile) -> PriceBook:
    parsed, violations = validate(file.root)
    problems = sorted([*file.problems, *violations], key=lambda problem: problem.line or 0)
    if problems:
        raise PriceFileError(file.path, problems, file.digest)
    return replace(resolve(parsed, file.digest), content=file.content)
