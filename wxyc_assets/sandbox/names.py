"""Names of generated artists and albums. Pure."""

from typing import Final

# The words are long, quoted and from many scripts, so that code that escapes, folds or cuts names wrongly fails on them.
_FIRST_WORDS: Final = (
    "The Paper", "Los Río", "Björn", "O'Malley", 'Johnny "Hi-Hat"', "Sœur", "Żółć", "Черный", "青い", "Ahmed & the",
    "DJ", "Ύδρα", "Nacho", "\u2026And", "Back\\slash", "Ñandú", "Saint", "100%", "Dry", "Queen",
)  # fmt: skip
_SECOND_WORDS: Final = (
    "Lanterns", "Quintet", "Łódź", "& Sons", "Électrique", "Brothers", "'77", "Обзор", "太陽", "Orchestra",
    "Telephone", "of Carrboro", "Índigo", "(US)", "Machine", "Sisters, Inc.", "ﬁ", "e\u0301tude", "Static", "Thunder",
)  # fmt: skip
TITLE_WORDS: Final = (
    "Midnight", "Volume", "Live at", "Señales", "Été", "Songs for", "100% of", "“Quoted”", "Дом", "夜明け",
    "A & B", "Don't", "Untitled", "The Long", "Static/Noise", "Blue", "Ghost", "Number", "Ætherial", "Return to",
)  # fmt: skip


def artist_name(number: int) -> str:
    """Return the name of an artist: another number, another name, also when folded."""
    first = _FIRST_WORDS[number % len(_FIRST_WORDS)]
    second = _SECOND_WORDS[number // len(_FIRST_WORDS) % len(_SECOND_WORDS)]
    return f"{first} {second} {number}"
