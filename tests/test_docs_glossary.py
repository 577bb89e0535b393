"""Every term of the glossary is in the code, once in the glossary, and explained in one line."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.documents import GLOSSARY, PACKAGES, ROOT

TERMS = [term for table in re.findall(r"\| term \| meaning \|\n\|---\|---\|\n((?:\|.*\n)+)", GLOSSARY.text) for term in
         re.findall(r"^\| (.+?) \| .+ \|$", table, re.MULTILINE)]  # fmt: skip


@cache
def program() -> str:
    """Return the code and the SQL of the program in words."""
    paths = [path for package in PACKAGES for kind in ("py", "sql") for path in (ROOT / package).rglob(f"*.{kind}")]
    assert Path(ROOT / "wxyc_assets" / "factories.py") in paths
    return in_words("\n".join(path.read_text() for path in paths))


def in_words(text: str) -> str:
    """Return a text in lower case, with one blank between the words, those of a name as well."""
    return " ".join(re.sub(r"([a-z])([A-Z])|[_-]", r"\1 \2", text).lower().split())


@pytest.mark.parametrize("term", TERMS)
def test_a_term_is_in_the_code(term):
    assert re.search(rf"\b{re.escape(in_words(term))}", program())


def test_a_term_is_listed_once():
    assert len(TERMS) == len(set(TERMS)) > 60
