"""The spellings in which a secret may stand in a text. Pure.

Sign by sign: plain, percent-encoded, escaped for JSON or Python, as an entity of HTML, each also twice, and in any mixture.
As a whole: base64 (also urlsafe, and inside longer base64, at each of its three alignments), and hexadecimal. Digits of either
letter case.
"""

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

MIN_SECRET_LENGTH = 4
"""Shorter secrets are not searched for: they are parts of ordinary words, and protect nothing."""

_MIN_CORE = 6
"""Signs of base64 that a secret must fill by itself; fewer would be found in ordinary text."""

_SOFT_BREAK = r"(?:[\r\n]|\\+[rn])*"
_SHARED = r"[A-Za-z0-9+/_-]"


class SecretSearch:
    """Finds out quickly whether one secret stands in a text, in any spelling: ``patterns`` then say where."""

    def __init__(self, secret: str) -> None:
        raw = secret.encode("utf-8", "surrogatepass")
        forms = [secret, decoded(secret), decoded(raw.decode("latin-1"))]  # the last: Python's escapes of its bytes
        self._plain = [form for form in dict.fromkeys(forms) if len(form) >= MIN_SECRET_LENGTH]
        self._cores = [core for alignment in range(3) if (core := _base64_core(raw, alignment))]
        self._hex = raw.hex()
        self._has_blank = " " in secret
        # Signs of such a secret may begin an escape: what they decode to depends on how the next ones are spelt.
        self._sign_by_sign = _sign_by_sign(secret) if any(sign in secret for sign in "%\\&") else None

    def finds(self, text: str) -> bool:
        """Return whether the secret stands in ``text``, which may be decoded already."""
        if any(form in text for form in self._plain) or self._hex in text.lower():
            return True
        if self._has_blank and any(form in text.replace("+", " ") for form in self._plain):
            return True
        if self._sign_by_sign and self._sign_by_sign.search(text):
            return True
        standard = (
            text.replace("-", "+").replace("_", "/").replace("\r", "").replace("\n", "")
        )  # far faster than translate
        return any(core in standard for core in self._cores)


def patterns(secret: str) -> Iterator[re.Pattern[str]]:
    """Yield the patterns of one secret, which must not be empty: each matches it whole."""
    raw = secret.encode("utf-8", "surrogatepass")
    yield _sign_by_sign(secret)
    yield re.compile("".join(map(_hex_digits, raw)))
    # One pattern for each alignment: together they would be an alternation, which is searched for many times as slowly.
    for alignment in range(3):
        if core := _base64_core(raw, alignment):
            before = f"{_SHARED}?" if alignment else ""  # signs that the secret shares with its neighbours
            yield re.compile(f"{before}{_SOFT_BREAK.join(map(_base64_sign, core))}{_SHARED}?(?:=|%3[dD])*")


def decoded(text: str) -> str:
    """Return a text without the escapes of URLs, JSON and HTML, however deep they are nested, and without backslashes."""
    for _ in range(8):
        plain = _without_escapes(html.unescape(unquote(text)))
        if plain == text:
            break
        text = plain
    return text


def _sign_by_sign(secret: str) -> re.Pattern[str]:
    return re.compile("".join(map(_sign, secret)))


def _sign(sign: str) -> str:
    """Return the pattern of one sign in every spelling. Each alternative begins with a literal, so that a search can skip."""
    raw = sign.encode("utf-8", "surrogatepass")
    spellings = [
        "".join(f"%(?:25)*{_hex_digits(byte)}" for byte in raw),
        _escaped_units(sign),
        f"&(?:amp;)*#0*{ord(sign)};?",
        f"&(?:amp;)*#[xX]0*{_hex_text(f'{ord(sign):x}')};?",
    ]
    if ord(sign) < 256:  # noqa: PLR2004 - what Python escapes as \xHH
        spellings.append(rf"\\+x{_hex_digits(ord(sign))}")
    if len(raw) > 1:
        spellings.append("".join(rf"\\+x{_hex_digits(byte)}" for byte in raw))
    if sign == " ":
        spellings.append(r"\+")
    spellings += [f"&(?:amp;)*{name};" for name in [_ENTITIES.get(sign)] if name]
    short = json.dumps(sign)[1:-1]
    if len(short) == 2:  # noqa: PLR2004 - a backslash and a sign
        spellings.append(rf"\\+{re.escape(short[1])}")
    if sign in "/'":
        spellings.append(rf"\\+{re.escape(sign)}")
    # A sign that begins an escape comes last, or the search would end in the middle of the escape.
    place = len(spellings) if sign in "%\\&" else 0
    spellings.insert(place, re.escape(sign))
    return f"(?:{'|'.join(dict.fromkeys(spellings))})"


_ENTITIES = {
    "&": "amp",
    "<": "lt",
    ">": "gt",
    '"': "quot",
    "'": "apos",
    "/": "sol",
    "+": "plus",
    "=": "equals",
    ":": "colon",
    "@": "commat",
    "-": "hyphen",
    "_": "lowbar",
}
"""The names of signs in HTML."""


def _escaped_units(sign: str) -> str:
    r"""Return the pattern of \uHHHH, of two of them beyond the first plane, and of Python's \UHHHHHHHH."""
    utf16 = sign.encode("utf-16-be", "surrogatepass")
    units = [utf16[at : at + 2].hex() for at in range(0, len(utf16), 2)]
    as_units = "".join(rf"\\+u{_hex_text(unit)}" for unit in units)
    return as_units if len(units) == 1 else rf"{as_units}|\\+U{_hex_text(f'{ord(sign):08x}')}"


def _hex_digits(byte: int) -> str:
    return _hex_text(f"{byte:02x}")


def _hex_text(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


def _base64_core(raw: bytes, alignment: int) -> str:
    """Return the base64 signs that only the secret decides if ``alignment`` bytes (0 to 2) come before it; empty if too few."""
    encoded = base64.b64encode(bytes(alignment) + raw).decode()
    core = encoded[-(-8 * alignment // 6) : 8 * (alignment + len(raw)) // 6]
    return core if len(core) >= _MIN_CORE else ""


def _base64_sign(sign: str) -> str:
    return {"+": r"(?:\+|-|%2[bB]|\\+u002[bB])", "/": r"(?:/|_|%2[fF]|\\+/|\\+u002[fF])"}.get(sign, sign)


_ESCAPE = re.compile(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})|([nrtbf])|)")
_SHORT = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def _without_escapes(text: str) -> str:
    """Undo escapes by backslash, and drop every other backslash: how many there were depends on the nesting."""
    if "\\" not in text:
        return text
    plain = _ESCAPE.sub(
        lambda found: _SHORT[found[4]] if found[4] else _character(found[1] or found[2] or found[3]), text
    )
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # joins the pairs


def _character(digits: str | None) -> str:
    number = int(digits or "110000", 16)
    return chr(number) if number <= 0x10FFFF else ""  # noqa: PLR2004 - Unicode's last
