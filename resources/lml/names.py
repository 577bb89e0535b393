"""Names of artists and albums: as LML is asked about them, and the folded form in which two spellings are one name. Pure."""

import re
import unicodedata
from html import unescape
from html.entities import html5

_ENTITY = re.compile(r"&(#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
_NUMBER = re.compile(r"#([xX]?)0*([0-9a-fA-F]*)")
MAX_DIGITS = 7
"""Digits of the number of a character, in decimal."""

_ACCENTS = re.compile("[\u0300-\u036f]")
_SEPARATORS = re.compile(r"[\W_]+")


def decoded(text: str) -> str:
    """Return a name with its HTML entities decoded by one level: ``&amp;amp;`` becomes ``&amp;``.

    The catalogue holds names such as ``Rock &amp; Roll``. Only what ends in a semicolon is an entity: ``Drums &notes`` stays.
    """
    return _ENTITY.sub(_character, text) if "&" in text else text


def folded(name: str) -> str:
    """Return the form in which two spellings of a name are equal: without accents, in lower case, one space between words.

    A name without letters or digits, such as ``!!!``, has no such form and stays, so that two such names are not one. Marks
    that are no accents stay too: without them, different words of Hindi or Japanese would be equal.
    """
    text = name.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", name))).lower()
    if text.isascii():
        return _SEPARATORS.sub(" ", text).strip() or name.strip()
    return " ".join("".join(c if _belongs_to_a_word(c) else " " for c in text).split()) or name.strip()


def _character(entity: re.Match[str]) -> str:
    number = _NUMBER.fullmatch(entity[1])
    if number:  # without leading zeros and not too long to be a character: int() refuses thousands of digits
        base, digits = number.groups()
        return unescape(f"&#{base}{digits or 0};") if len(digits) <= MAX_DIGITS else entity[0]
    return unescape(entity[0]) if f"{entity[1]};" in html5 else entity[0]


def _belongs_to_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character).startswith("M")
