"""Wrong answers made of right ones: what an answer fault does to the ``results`` of a batch.

Pure: a new list every time, and an answer that is changed is copied first. Keys say what the fault says they are, so a
client that matches by key can tell what happened, and one that trusts positions writes to the wrong rows.
"""

from collections.abc import Callable
from typing import Any, Final

from wxyc_assets.sandbox.lml.faults import Kind

Answer = dict[str, Any]

# For each batch endpoint: the field by which an answer names its input, and the field that says what it is.
_FIELDS: Final = {
    "bulk-resolve-libraries": ("library_id", "kind"),
    "lookup-bulk": ("index", "status"),
    "refresh-for-identities": ("identity_id", "status"),
}
_BAD_CONFIDENCES: Final = (1.5, -0.1, "0.9")


def damage(results: list[Answer], endpoint: str, kind: Kind, count: int) -> list[Answer | None]:
    """Return ``results``, which has at least one answer, with ``count`` of them damaged in the way of ``kind``.

    Damages all of them when there are fewer. Raises KeyError for a kind or endpoint that has no such damage.
    """
    key, kind_field = _FIELDS[endpoint]
    return _DAMAGES[kind](results, count, key, kind_field)


def _short(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    return [*results[: max(0, len(results) - count)]]


def _long(results: list[Answer], count: int, key: str, _kind_field: str) -> list[Answer | None]:
    surplus = [results[i % len(results)] for i in range(count)]
    return [*results, *_under_foreign_keys(surplus, results, key)]


def _shifted(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    turn = count % len(results)
    return [*results[turn:], *results[:turn]]


def _swapped(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    damaged: list[Answer | None] = [*results]
    for i in range(0, min(2 * count, len(results) - 1), 2):
        damaged[i], damaged[i + 1] = damaged[i + 1], damaged[i]
    return damaged


def _duplicated(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    # In place of a neighbour, so that the number of answers gives nothing away.
    damaged: list[Answer | None] = [*results]
    for i in range(0, min(2 * count, len(results) - 1), 2):
        damaged[i + 1] = damaged[i]
    return damaged


def _foreign(results: list[Answer], count: int, key: str, _kind_field: str) -> list[Answer | None]:
    return [*_under_foreign_keys(results[:count], results, key), *results[count:]]


def _null_item(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    return [*(None for _ in results[:count]), *results[count:]]


def _non_integer_index(results: list[Answer], count: int, key: str, _kind_field: str) -> list[Answer | None]:
    spellings: tuple[Callable[[int], Any], ...] = (str, lambda number: number + 0.5, lambda _: None)
    return [
        *(answer | {key: spellings[i % len(spellings)](answer[key])} for i, answer in enumerate(results[:count])),
        *results[count:],
    ]


def _bad_confidence(results: list[Answer], count: int, _key: str, _kind_field: str) -> list[Answer | None]:
    damaged: list[Answer | None] = []
    done = 0
    for answer in results:
        worse = _with_confidence(answer, _BAD_CONFIDENCES[done % len(_BAD_CONFIDENCES)]) if done < count else None
        done += worse is not None
        damaged.append(worse or answer)
    return damaged


def _unknown_kind(results: list[Answer], count: int, _key: str, kind_field: str) -> list[Answer | None]:
    return [*(answer | {kind_field: "unheard_of"} for answer in results[:count]), *results[count:]]


def _under_foreign_keys(answers: list[Answer], asked: list[Answer], key: str) -> list[Answer]:
    # Just past the largest key that was asked for: in a catalogue this is very likely the key of somebody else's row.
    first_foreign = max(answer[key] for answer in asked) + 1
    return [answer | {key: first_foreign + i} for i, answer in enumerate(answers)]


def _with_confidence(answer: Answer, confidence: object) -> Answer | None:
    if answer.get("confidence") is not None:
        return answer | {"confidence": confidence}
    lookup = answer.get("lookup")
    if lookup and lookup["results"]:
        best = lookup["results"][0]
        worse = best | {"artwork": best["artwork"] | {"confidence": confidence}}
        return answer | {"lookup": lookup | {"results": [worse, *lookup["results"][1:]]}}
    return None


_DAMAGES: Final[dict[str, Callable[[list[Answer], int, str, str], list[Answer | None]]]] = {
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
