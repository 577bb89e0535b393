"""Removes secrets from all text that comes from LML and all that leaves the process. Pure.

The edges: LML's answers, log lines, the result and the traceback of a command, stored alerts, envelopes and events for Sentry.
"""

import dataclasses
import math
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from enum import Enum
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit

import orjson

from resources.secret_spellings import MIN_SECRET_LENGTH, SecretSearch, decoded, patterns

REDACTED: Final = "[redacted]"

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

    Covered: each configured secret of at least four characters in every spelling of ``secret_spellings``; passwords in URLs and
    in ``password=`` parameters; Authorization and bearer values; the string under a key that is named like a credential. A
    secret in a deeper nesting of escapes takes the whole text with it.
    """

    def __init__(self, secrets: Collection[str] = ()) -> None:
        # The longest first, or a secret that begins another one would leave the rest of it.
        self._secrets = sorted(dict.fromkeys(_parts(secrets)), key=len, reverse=True)
        self._searches = [SecretSearch(secret) for secret in self._secrets]

    def __repr__(self) -> str:
        return "Redactor()"

    def finds(self, text: str) -> bool:
        """Return whether a configured secret stands in a text, as it is or once its escapes are undone."""
        forms = [text]
        if self._searches and any(sign in text for sign in "%\\&"):
            forms.append(decoded(text))
        return any(search.finds(form) for form in forms for search in self._searches)

    def text(self, value: str) -> str:
        """Return ``value`` without secrets, and as valid Unicode (lone surrogates are escaped)."""
        clean = self.without_secrets(encodable(value))
        clean = _URL_PASSWORD.sub(rf"\1:{REDACTED}@", clean)
        clean = _PASSWORD_PARAMETER.sub(rf"\1\2{REDACTED}", clean)
        clean = _AUTHORIZATION.sub(rf"\1\2{REDACTED}", clean)
        return _BEARER.sub(rf"\1 {REDACTED}", clean)

    def without_secrets(self, value: str) -> str:
        """Return ``value`` without the configured secrets; what only looks like a credential stays."""
        if not self.finds(value):
            return value
        for secret in self._secrets:
            for pattern in patterns(secret):
                value = pattern.sub(REDACTED, value)
        return REDACTED if self.finds(value) else value

    def plain(self, value: object) -> JsonValue:
        """Return ``value`` as JSON values, without secrets in its strings and keys.

        Numbers stay numbers, except that NaN and the infinities become null and integers beyond 64 bits strings.
        Values without a JSON equivalent become their ``str``. Never raises.
        """
        try:
            return self._plain(value, ())
        except Exception:  # noqa: BLE001 - a foreign object's properties and iterators may fail in any way
            return _unprintable(value)

    def answer(self, payload: Any) -> Any:
        """Return parsed JSON without the configured secrets in its strings and keys; the very same object if it has none."""
        return self._without_secrets(payload) if self._searches and self.finds(_json_text(payload)) else payload

    def _without_secrets(self, payload: Any) -> Any:
        """Return a copy without the secrets. Without recursion: the payload may be nested to any depth."""
        copied: list[Any] = [payload]
        left: list[tuple[Any, Any, Any]] = [(copied, 0, payload)]
        while left:
            container, place, value = left.pop()
            if isinstance(value, dict):
                clean = {self.without_secrets(key): item for key, item in value.items()}
                left.extend((clean, key, item) for key, item in list(clean.items()))
                container[place] = clean
            elif isinstance(value, list):
                container[place] = items = list(value)
                left.extend((items, number, item) for number, item in enumerate(value))
            elif isinstance(value, str):
                container[place] = self.without_secrets(value)
            elif isinstance(value, int | float) and str(value) in self._secrets:
                container[place] = REDACTED
        return copied[0]

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
        if str(value) in self._secrets:
            return REDACTED
        return value if value in _JSON_INTEGERS else str(value)

    def _items(self, value: Mapping[object, object]) -> Iterator[tuple[str, object]]:
        for key, item in value.items():
            yield self.text(_str(key)), item

    def _under(self, key: str, value: object, above: tuple[int, ...]) -> JsonValue:
        if _SECRET_KEY.search(key) and value is not None and not isinstance(value, bool):
            return REDACTED
        return self._plain(value, above)


def _parts(secrets: Collection[str]) -> Iterator[str]:
    """Yield what to search for: each secret that is long enough, and the password of one that is a whole URL."""
    for secret in map(encodable, secrets):
        password = _password_in(secret)
        for part in (secret, *((password, unquote(password)) if password else ())):
            if len(part) >= MIN_SECRET_LENGTH:
                yield part


def _json_text(payload: object) -> str:
    """Return the payload as JSON whose only escapes are those that JSON needs."""
    try:
        return orjson.dumps(payload).decode()
    except orjson.JSONEncodeError:  # lone surrogates, integers of any length, a nesting of any depth
        return "\n".join(_texts(payload))


def _texts(payload: object) -> Iterator[str]:
    """Yield every key, string and number. Without recursion: the payload may be nested to any depth."""
    left = [payload]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += [*value, *value.values()]
        elif isinstance(value, list):
            left += value
        else:
            yield str(value)


def _password_in(secret: str) -> str | None:
    """Return the password of a secret that is a whole URL, as a database's DSN is."""
    try:
        return urlsplit(secret).password
    except ValueError:
        return None


def encodable(text: str) -> str:
    """Return the text as valid Unicode: bytes that were not UTF-8, and other lone surrogates, become escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _str(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - the text of a foreign object, which may fail in any way
        return _unprintable(value)


def _unprintable(value: object) -> str:
    return f"<unprintable {type(value).__name__}>"
