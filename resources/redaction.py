"""Removes secrets from all text that leaves the process: log lines, Sentry envelopes."""

import base64
import dataclasses
import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from enum import Enum
from typing import Final, TypeAlias
from urllib.parse import quote, quote_plus, unquote, urlsplit

REDACTED: Final = "[redacted]"

MIN_SECRET_LENGTH: Final = 4
"""Shorter secrets are not searched for: they are parts of ordinary words, and protect nothing."""

JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None

_MAX_DEPTH: Final = 40
_JSON_INTEGERS: Final = range(-(2**63), 2**63)  # a 64-bit reader, such as Sentry or jq, takes these without loss

# A password in a URL ends at the last @ before the path, so that an unescaped @ inside it is covered too.
_URL_PASSWORD: Final = re.compile(r'(?<=://)([^\s/?#:@"<>]*):[^\s/?#"<>]*@')
# Up to the next blank or &, quoted parts whole: a quote that is never closed must not end the search early.
_PASSWORD_PARAMETER: Final = re.compile(r"""(?i)\b((?:ssl)?password|passwd)(\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&])+""")
_AUTHORIZATION: Final = re.compile(
    r"""(?ix) \b (authorization) (["']? \s* [:=] \s* (?:b?["'])? | ["'] \s* , \s* b?["'])
        (?:(?:basic|bearer|digest|token)\s+)? [^\s"',;]+ """
)
# "bearer token" and the like are English, not a credential.
_BEARER: Final = re.compile(r"(?i)\b(bearer)\s+(?!(?:token|key|auth\w*|credentials?)\b)[^\s\"',;]+")
_SECRET_KEY: Final = re.compile(r"(?i)(?:^|[^a-z])(?:authorization|password|passwd|api[_-]?key|cookie)$")


class Redactor:
    """Replaces the secrets of one process by ``[redacted]``, whole, wherever they occur.

    Covered: each configured secret of at least four characters, also where it was escaped for JSON, Python or a URL
    or is base64; passwords in URLs and in ``password=`` parameters; Authorization and bearer values; the string
    under a key that is named like a credential.
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        spellings = {spelling for secret in secrets for spelling in _spellings(secret)}
        longest_first = sorted(spellings, key=len, reverse=True)  # else a secret's prefix would leave the rest of it
        self._secrets = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._numbers = {spelling for spelling in spellings if spelling.isdecimal()}

    def __repr__(self) -> str:
        return "Redactor()"

    def text(self, value: str) -> str:
        """Return ``value`` without secrets, and as valid Unicode (lone surrogates are escaped)."""
        clean = _encodable(value)
        if self._secrets is not None:
            clean = self._secrets.sub(REDACTED, clean)
        clean = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", clean)
        clean = _PASSWORD_PARAMETER.sub(rf"\1\2{REDACTED}", clean)
        clean = _AUTHORIZATION.sub(rf"\1\2{REDACTED}", clean)
        return _BEARER.sub(rf"\1 {REDACTED}", clean)

    def plain(self, value: object) -> JsonValue:
        """Return ``value`` as JSON values, without secrets in its strings and keys.

        Numbers stay numbers, except that NaN and the infinities become null and integers beyond 64 bits strings.
        Values without a JSON equivalent become their ``str``. Never raises.
        """
        try:
            return self._plain(value, ())
        except Exception:  # noqa: BLE001 - a foreign object's properties and iterators may fail in any way
            return _unprintable(value)

    def _plain(self, value: object, above: tuple[int, ...]) -> JsonValue:
        if id(value) in above or len(above) == _MAX_DEPTH:
            return "[nested too deep]"
        above = (*above, id(value))
        if dataclasses.is_dataclass(value) and not isinstance(value, type):  # fields hidden from its repr stay hidden
            value = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value) if field.repr}
        if isinstance(value, Mapping):
            return {key: self._under(key, item, above) for key, item in self._items(value)}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._plain(item, above) for item in value]
        return self._leaf(value)

    def _leaf(self, value: object) -> JsonValue:
        if isinstance(value, Enum):
            value = value.value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return self._integer(int(value))
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else None
        if isinstance(value, date):
            value = value.isoformat().replace("+00:00", "Z")
        return self.text(_str(value))

    def _integer(self, value: int) -> int | str:
        if str(value) in self._numbers:
            return REDACTED
        return value if value in _JSON_INTEGERS else str(value)

    def _items(self, value: Mapping[object, object]) -> Iterator[tuple[str, object]]:
        for key, item in value.items():
            yield self.text(_str(key)), item

    def _under(self, key: str, value: object, above: tuple[int, ...]) -> JsonValue:
        if _SECRET_KEY.search(key) and value is not None and not isinstance(value, bool):
            return REDACTED
        return self._plain(value, above)


def _spellings(secret: str) -> Iterator[str]:
    """Yield the spellings in which a secret may occur in a text."""
    raw = _encodable(secret)
    if len(raw) < MIN_SECRET_LENGTH:
        return
    yield raw
    for escape_all in (True, False):
        once = json.dumps(raw, ensure_ascii=escape_all)[1:-1]
        yield once
        yield json.dumps(once)[1:-1]  # JSON quoted inside JSON
    yield repr(raw)[1:-1]
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        yield quoted
        yield re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), quoted)
    yield base64.b64encode(raw.encode()).decode()
    password = _password_in(raw)
    if password is not None and password != raw:
        yield from _spellings(password)
        yield from _spellings(unquote(password))


def _password_in(secret: str) -> str | None:
    """Return the password of a secret that is a whole URL, as a database's DSN is."""
    try:
        return urlsplit(secret).password
    except ValueError:
        return None


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _str(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - the text of a foreign object, which may fail in any way
        return _unprintable(value)


def _unprintable(value: object) -> str:
    return f"<unprintable {type(value).__name__}>"
