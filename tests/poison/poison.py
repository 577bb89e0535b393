"""Poison: JSON texts of every kind, and a place in an answer to put one."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

_MARK = "@poison@"

_NUMBERS = [
    *("1e400", "-1e400", "NaN", "Infinity", "-Infinity", "-1", "0.5", "1e-400", "-0.0", "true"),
    *("9" * 5000, "-" + "9" * 5000, str(2**31), str(2**63), str(2**64), "1e999999999"),
]
_TEXTS = [
    *('""', '"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udfff\\ud800"', '"\\u202e"', '"\\uffff"', '"&#x0;"'),
    *(f'"{"x" * 300_000}"', f'"&#{"9" * 5000};"', '"\\\\"', '"<script>"', '"{}"', '"%(name)s"', '"\'; --"'),
    *('"javascript:alert(1)"', '"http://[::1"', '"https://open.spotify.com:99999/x"', '"9999-99-99T99:99:99Z"'),
]
_SHAPES = [
    *(
        "null",
        "[]",
        "{}",
        "[[]]",
        "[null]",
        '{"": null}',
        '{"\\u0000": 1}',
        '{"\\ud800": {"a": []}}',
        '{"a": 1, "a": 2}',
    ),
    *("[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000, f"[{','.join('1' * 20_000)}]"),
]

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
).map(json.dumps)

POISON = st.sampled_from([*_NUMBERS, *_TEXTS, *_SHAPES]) | ANY_JSON
"""One JSON text."""


@dataclass(frozen=True)
class Place:
    """A value in an answer to replace, or, with a key, an object in it that gets one more entry."""

    path: Path
    key: str | None = None


def places(answer: Any) -> list[Place]:
    """Every place in an answer where poison can be."""
    found = [Place(path) for path, _ in _walk(answer)]
    objects = [path for path, value in [((), answer), *_walk(answer)] if isinstance(value, dict)]
    return found + [Place(path, key) for path in objects for key in ("extra", "", "\0", "\ud800", "k" * 10_000)]


def poisoned(answer: Any, place: Place, poison: str) -> str:
    """Return the answer as JSON text with the poison in its place."""
    copy = json.loads(json.dumps(answer))
    if place.key is not None:
        _at(copy, place.path)[place.key] = _MARK
    else:
        *parents, last = place.path
        _at(copy, parents)[last] = _MARK
    return json.dumps(copy).replace(json.dumps(_MARK), poison)


def _walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key), inner
        yield from _walk(inner, (*path, key))


def _at(value: Any, path: Any) -> Any:
    for key in path:
        value = value[key]
    return value
