"""Each answer fault corrupts a batch in the way of its name, and never the original."""

import copy
from typing import Any, get_args

import pytest

from wxyc_assets.sandbox.lml.corruption import corrupt
from wxyc_assets.sandbox.lml.faults import AnswerKind, endpoints_of

LIBRARIES = [
    {"kind": "single_artist", "library_id": 10 * n, "confidence": 0.9, "method": "exact_match"} for n in range(1, 6)
]
LOOKUPS = [{"index": n, "status": "match", "lookup": {"results": [{"artwork": {"confidence": 0.9}}]}} for n in range(5)]
IDENTITIES = [{"identity_id": 100 + n, "status": "warmed", "sources": {}} for n in range(5)]
BATCHES: dict[str, tuple[list[Any], str]] = {
    "bulk-resolve-libraries": (LIBRARIES, "library_id"),
    "lookup-bulk": (LOOKUPS, "index"),
    "refresh-for-identities": (IDENTITIES, "identity_id"),
}

PAIRS = [(endpoint, kind) for endpoint in BATCHES for kind in get_args(AnswerKind) if endpoint in endpoints_of(kind)]


def ids(kind, count=1):
    """The keys of the corrupted libraries; None for a null answer."""
    return [one and one["library_id"] for one in corrupt(LIBRARIES, "bulk-resolve-libraries", kind, count)]


@pytest.mark.parametrize(
    ("kind", "count", "expected"),
    [
        ("short", 2, [10, 20, 30]),
        ("short", 99, []),
        ("long", 2, [10, 20, 30, 40, 50, 51, 52]),
        ("shifted", 1, [20, 30, 40, 50, 10]),
        ("swapped", 1, [20, 10, 30, 40, 50]),
        ("swapped", 9, [20, 10, 40, 30, 50]),
        ("duplicated", 1, [10, 10, 30, 40, 50]),
        ("duplicated", 2, [10, 10, 30, 30, 50]),
        ("foreign", 2, [51, 52, 30, 40, 50]),
        ("null_item", 2, [None, None, 30, 40, 50]),
        ("non_integer_index", 3, ["10", 20.5, None, 40, 50]),
    ],
)
def test_each_kind_changes_the_keys_as_its_name_says(kind, count, expected):
    assert ids(kind, count) == expected


def test_bad_confidence_spares_answers_without_confidence():
    unresolved = {"kind": "unresolved", "library_id": 5, "confidence": None}
    corrupted = corrupt([unresolved, *LIBRARIES], "bulk-resolve-libraries", "bad_confidence", 3)
    assert [one and one["confidence"] for one in corrupted] == [None, 1.5, -0.1, "0.9", 0.9, 0.9]
    (first, *_) = corrupt(LOOKUPS, "lookup-bulk", "bad_confidence", 1)
    assert first is not None
    (best,) = first["lookup"]["results"]
    assert best["artwork"]["confidence"] == 1.5


def test_faults_of_lookups_say_their_word():
    degraded, *others = corrupt(LOOKUPS, "lookup-bulk", "degraded", 1, "deadline_exceeded")
    assert degraded is not None
    assert (degraded["status"], degraded["lookup"]["degraded_reason"]) == ("no_match", "deadline_exceeded")
    assert (degraded["lookup"]["timeout"], others) == (True, LOOKUPS[1:])
    (another, *_) = corrupt(LOOKUPS, "lookup-bulk", "another_album", 1)
    assert another is not None
    assert another["lookup"]["search_type"] == "fallback"
    assert another["lookup"]["results"][0]["library_item"]["title"] == "Another album"
    (streaming, *_) = corrupt(LOOKUPS, "lookup-bulk", "streaming_status", 1, "unresolved")
    assert streaming is not None
    said = streaming["lookup"]["results"][0]["artwork"]["streaming_status"]
    assert said == {"spotify": "unresolved", "apple_music": "unresolved", "bandcamp": "unresolved"}


@pytest.mark.parametrize(("endpoint", "kind"), PAIRS)
@pytest.mark.parametrize("count", [1, 3, 50])
def test_every_kind_changes_a_copy_of_every_batch(endpoint, kind, count):
    results, _ = BATCHES[endpoint]
    before = copy.deepcopy(results)
    corrupted = corrupt(results, endpoint, kind, count)
    assert results == before
    assert corrupted != before or (kind == "shifted" and count % len(results) == 0)


@pytest.mark.parametrize(("endpoint", "kind"), PAIRS)
def test_a_batch_of_one_can_be_corrupted(endpoint, kind):
    results, _ = BATCHES[endpoint]
    corrupt(results[:1], endpoint, kind, 2)


def test_unknown_kind_is_outside_the_contract():
    (library, *_) = corrupt(LIBRARIES, "bulk-resolve-libraries", "unknown_kind", 1)
    (identity, *_) = corrupt(IDENTITIES, "refresh-for-identities", "unknown_kind", 1)
    assert library is not None
    assert identity is not None
    assert (library["kind"], identity["status"]) == ("unheard_of", "unheard_of")
