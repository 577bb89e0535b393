"""Corrupts the ``results`` of a batch as an answer fault says.

Pure: each call returns a new list, and copies an answer before it changes it. An answer
that moves keeps its key: a client that matches answers by key notices the fault, and a client that trusts positions
writes to the wrong rows.
"""

from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any, Final

from wxyc_assets.sandbox.lml.faults import Kind

Answer = dict[str, Any]

# For each batch endpoint: the field that names the input of an answer, and the field that classifies the answer.
_FIELDS: Final = {
    "bulk-resolve-libraries": ("library_id", "kind"),
    "lookup-bulk": ("index", "status"),
    "refresh-for-identities": ("identity_id", "status"),
}
_BAD_CONFIDENCES: Final = (1.5, -0.1, "0.9")


def corrupt(
    results: list[Answer], endpoint: str, kind: Kind, count: int, says: str | None = None
) -> list[Answer | None]:
    """Return ``results``, which has at least one answer, with ``count`` of the answers corrupted as ``kind`` says.

    ``says`` is the word in the answers that a fault of lookups corrupts; None: the usual one.

    Corrupts all answers if there are fewer. Raises KeyError for a kind or endpoint that has no answer fault.
    """
    if kind in _LOOKUP_CORRUPTIONS:
        change, usual = _LOOKUP_CORRUPTIONS[kind]
        return _with_changed(results, count, lambda answer: change(answer, says or usual))
    key, kind_field = _FIELDS[endpoint]
    return _CORRUPTIONS[kind](results, count, key, kind_field)


def _short(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    return [*results[: max(0, len(results) - count)]]


def _long(results: list[Answer], count: int, key: str, _kind_field: str) -> list[Answer | None]:
    surplus = [results[i % len(results)] for i in range(count)]
    return [*results, *_with_foreign_keys(surplus, results, key)]


def _shifted(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    offset = count % len(results)
    return [*results[offset:], *results[:offset]]


def _swapped(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    corrupted: list[Answer | None] = [*results]
    for i in range(0, min(2 * count, len(results) - 1), 2):
        corrupted[i], corrupted[i + 1] = corrupted[i + 1], corrupted[i]
    return corrupted


def _duplicated(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    # The copy replaces the next answer, so that the number of answers does not show the fault.
    corrupted: list[Answer | None] = [*results]
    for i in range(0, min(2 * count, len(results) - 1), 2):
        corrupted[i + 1] = corrupted[i]
    return corrupted


def _foreign(results: list[Answer], count: int, key: str, _kind_field: str) -> list[Answer | None]:
    return [*_with_foreign_keys(results[:count], results, key), *results[count:]]


def _null_item(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    return [*(None for _ in results[:count]), *results[count:]]


def _non_integer_index(results: list[Answer], count: int, key: str, _kind_field: str) -> list[Answer | None]:
    spellings: tuple[Callable[[int], Any], ...] = (str, lambda number: number + 0.5, lambda _: None)
    return [
        *(answer | {key: spellings[i % len(spellings)](answer[key])} for i, answer in enumerate(results[:count])),
        *results[count:],
    ]


def _bad_confidence(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    confidences = cycle(_BAD_CONFIDENCES)
    return _with_changed(results, count, lambda answer: _with_confidence(answer, confidences))


def _with_changed(results: list[Answer], count: int, change: Callable[[Answer], Answer | None]) -> list[Answer | None]:
    """Change the first ``count`` answers that can be changed; ``change`` returns None for one that cannot."""
    corrupted: list[Answer | None] = []
    done = 0
    for answer in results:
        changed = change(answer) if done < count else None
        done += changed is not None
        corrupted.append(changed or answer)
    return corrupted


def _degraded(answer: Answer, reason: str) -> Answer:
    timeout = reason == "deadline_exceeded"
    lookup = {"results": [], "search_type": "none", "timeout": timeout, "degraded": True, "degraded_reason": reason}
    return answer | {"status": "no_match", "lookup": (answer.get("lookup") or {}) | lookup}


def _another_album(answer: Answer, search_type: str) -> Answer | None:
    item = {"library_item": {"id": 0, "call_number": "", "library_url": "", "title": "Another album"}}
    return _with_best(answer, item, {"search_type": search_type})


def _streaming_status(answer: Answer, status: str) -> Answer | None:
    lookup = answer.get("lookup")
    artwork = lookup["results"][0]["artwork"] if lookup and lookup["results"] else {}
    said = dict.fromkeys(("spotify", "apple_music", "bandcamp"), status)
    return _with_best(answer, {"artwork": artwork | {"streaming_status": said}}, {})


def _unknown_kind(results: list[Answer], count: int, _key: str, kind_field: str) -> list[Answer | None]:
    return [*(answer | {kind_field: "unheard_of"} for answer in results[:count]), *results[count:]]


def _with_foreign_keys(answers: list[Answer], requested: list[Answer], key: str) -> list[Answer]:
    # Just above the largest requested key: in a catalogue this is very likely the key of another row.
    first_foreign = max(answer[key] for answer in requested) + 1
    return [answer | {key: first_foreign + i} for i, answer in enumerate(answers)]


def _with_confidence(answer: Answer, confidences: Iterator[object]) -> Answer | None:
    if answer.get("confidence") is not None:
        return answer | {"confidence": next(confidences)}
    lookup = answer.get("lookup")
    if lookup and lookup["results"]:
        artwork = lookup["results"][0]["artwork"] | {"confidence": next(confidences)}
        return _with_best(answer, {"artwork": artwork}, {})
    return None


def _with_best(answer: Answer, changed: dict[str, Any], changed_lookup: dict[str, Any]) -> Answer | None:
    """Return the answer with a changed best candidate and lookup; None if it has no candidate."""
    lookup = answer.get("lookup")
    if not lookup or not lookup["results"]:
        return None
    best, *others = lookup["results"]
    return answer | {"lookup": lookup | changed_lookup | {"results": [best | changed, *others]}}


_LOOKUP_CORRUPTIONS: Final[dict[str, tuple[Callable[[Answer, str], Answer | None], str]]] = {
    "degraded": (_degraded, "upstream_unavailable"),
    "another_album": (_another_album, "fallback"),
    "streaming_status": (_streaming_status, "absent"),
}
_CORRUPTIONS: Final[dict[str, Callable[[list[Answer], int, str, str], list[Answer | None]]]] = {
    "short": _short,
    "long": _long,
    "shifted": _shifted,
    "swapped": _swapped,
    "duplicated": _duplicated,
    "foreign": _foreign,
    "null_item": _null_item,
    "non_integer_index": _non_integer_index,
    "bad_confidence": _bad_confidence,
    "unknown_kind": _unknown_kind,
}
