import copy
from typing import get_args

import pytest

from wxyc_assets.sandbox.lml.damage import damage
from wxyc_assets.sandbox.lml.faults import AnswerKind, endpoints_of

LIBRARIES = [
    {"kind": "single_artist", "library_id": 10 * n, "confidence": 0.9, "method": "exact_match"} for n in range(1, 6)
]
LOOKUPS = [{"index": n, "status": "match", "lookup": {"results": [{"artwork": {"confidence": 0.9}}]}} for n in range(5)]
IDENTITIES = [{"identity_id": 100 + n, "status": "warmed", "sources": {}} for n in range(5)]
BATCHES = {
    "bulk-resolve-libraries": (LIBRARIES, "library_id"),
    "lookup-bulk": (LOOKUPS, "index"),
    "refresh-for-identities": (IDENTITIES, "identity_id"),
}

PAIRS = [(endpoint, kind) for endpoint in BATCHES for kind in get_args(AnswerKind) if endpoint in endpoints_of(kind)]


def ids(kind, count=1):
    return [one and one["library_id"] for one in damage(LIBRARIES, "bulk-resolve-libraries", kind, count)]


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
def test_each_kind_does_to_the_keys_what_its_name_says(kind, count, expected):
    assert ids(kind, count) == expected


def test_bad_confidence_is_out_of_range_or_no_number_and_spares_answers_without_one():
    unresolved = {"kind": "unresolved", "library_id": 5, "confidence": None}
    damaged = damage([unresolved, *LIBRARIES], "bulk-resolve-libraries", "bad_confidence", 3)
    assert [one["confidence"] for one in damaged] == [None, 1.5, -0.1, "0.9", 0.9, 0.9]
    (best,) = damage(LOOKUPS, "lookup-bulk", "bad_confidence", 1)[0]["lookup"]["results"]
    assert best["artwork"]["confidence"] == 1.5


@pytest.mark.parametrize(("endpoint", "kind"), PAIRS)
@pytest.mark.parametrize("count", [1, 3, 50])
def test_every_kind_changes_every_batch_that_it_applies_to_and_leaves_the_original_alone(endpoint, kind, count):
    results, _ = BATCHES[endpoint]
    before = copy.deepcopy(results)
    damaged = damage(results, endpoint, kind, count)
    assert results == before
    assert damaged != before or (kind == "shifted" and count % len(results) == 0)


@pytest.mark.parametrize(("endpoint", "kind"), PAIRS)
def test_a_batch_of_one_can_be_damaged_too(endpoint, kind):
    results, _ = BATCHES[endpoint]
    damage(results[:1], endpoint, kind, 2)


def test_unknown_kind_says_something_that_the_contract_does_not_know():
    assert damage(LIBRARIES, "bulk-resolve-libraries", "unknown_kind", 1)[0]["kind"] == "unheard_of"
    assert damage(IDENTITIES, "refresh-for-identities", "unknown_kind", 1)[0]["status"] == "unheard_of"
