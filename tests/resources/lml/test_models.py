"""Which answers and items the models accept."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from resources.lml.models import (
    BulkLookupResult,
    BulkResolveAnswer,
    CacheStats,
    Health,
    LibraryVerdict,
    Provenance,
    ResolvedIdentity,
    finite_numbers,
)
from tests.resources.lml.loopback import stats

VERDICT = {
    "kind": "single_artist",
    "library_id": 7,
    "main": {"discogs_artist_id": 9, "wikidata_qid": "Q1", "new_id": "x"},
    "method": "exact_match",
    "confidence": 1,
    "provenance": [{"source": "discogs"}, None, 3],
    "tracks": [],
}
ENTRY = {"source": "discogs", "method": "exact_match", "confidence": 0.5, "external_id": "9"}


def test_the_models_do_not_import_the_http_stack():
    code = "import sys, resources.lml.models; sys.exit('httpx' in sys.modules or 'psycopg' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_verdict_may_have_any_provenance_and_unknown_fields():
    verdict = LibraryVerdict.model_validate(VERDICT)
    assert (verdict.library_id, verdict.confidence, len(verdict.provenance)) == (7, 1.0, 3)
    assert verdict.main is not None
    assert (verdict.main.discogs_artist_id, verdict.main.bandcamp_id) == (9, None)


def test_an_unknown_method_is_no_violation():
    assert LibraryVerdict.model_validate({**VERDICT, "method": "tarot"}).method == "tarot"


@pytest.mark.parametrize("kind", ["compilation", "unresolved"])
def test_main_method_and_confidence_may_be_null_or_absent(kind):
    assert LibraryVerdict.model_validate({"kind": kind, "library_id": 1, "provenance": []}).method is None
    nulls = {"main": None, "method": None, "confidence": None}
    assert LibraryVerdict.model_validate({"kind": kind, "library_id": 1, "provenance": [], **nulls}).confidence is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kind", "band"),
        ("library_id", True),
        ("library_id", 7.0),
        ("library_id", "7"),
        ("library_id", None),
        ("method", ""),
        ("method", "  "),
        ("method", 3),
        ("confidence", 1.01),
        ("confidence", -0.01),
        ("confidence", float("nan")),
        ("confidence", float("inf")),
        ("confidence", "0.5"),
        ("confidence", True),
        ("provenance", None),
        ("provenance", {}),
        ("main", []),
        ("main", {"discogs_artist_id": "9"}),
        ("main", {"discogs_artist_id": True}),
        ("main", {"wikidata_qid": 1}),
        ("method", "\ud800"),
    ],
)
def test_a_verdict_of_the_wrong_type_is_refused(field, value):
    with pytest.raises(ValidationError):
        LibraryVerdict.model_validate({**VERDICT, field: value})


@pytest.mark.parametrize("field", ["kind", "library_id", "provenance"])
def test_a_verdict_without_a_required_field_is_refused(field):
    with pytest.raises(ValidationError):
        LibraryVerdict.model_validate({name: value for name, value in VERDICT.items() if name != field})


def test_provenance_may_have_null_confidence_and_no_external_id():
    entry = Provenance.model_validate({"source": "discogs", "method": "llm", "confidence": None})
    assert (entry.confidence, entry.external_id) == (None, None)


@pytest.mark.parametrize(
    "change", [{"confidence": 2}, {"source": ""}, {"source": None}, {"method": None}, {"external_id": 9}]
)
def test_provenance_of_the_wrong_type_is_refused(change):
    with pytest.raises(ValidationError):
        Provenance.model_validate({**ENTRY, **change})


def test_provenance_requires_a_confidence_which_may_be_null():
    with pytest.raises(ValidationError):
        Provenance.model_validate({"source": "discogs", "method": "llm"})


@pytest.mark.parametrize("broken", [None, 3, [], {}, {**stats(1), "api_calls": -1}, {**stats(1), "api_calls": "1"}])
def test_malformed_statistics_do_not_lose_the_answer(broken):
    answer = BulkResolveAnswer.model_validate({"results": [1, None], "cache_stats": broken})
    assert (answer.results, answer.cache_stats) == ([1, None], None)


def test_complete_statistics_are_read():
    answer = BulkResolveAnswer.model_validate({"results": [], "cache_stats": stats(4)})
    assert answer.cache_stats == CacheStats.model_validate(stats(4))


@pytest.mark.parametrize(("raw", "read"), [(1, 1), (None, None), (True, None), ("1", None), (1.0, None)])
def test_only_a_plain_integer_is_a_tracks_contract_version(raw, read):
    answer = BulkResolveAnswer.model_validate({"results": [], "tracks_contract_version": raw})
    assert answer.tracks_contract_version == read


def test_a_body_cannot_set_the_statistics_of_its_call():
    answer = BulkResolveAnswer.model_validate({"results": [], "calls": 9, "_calls": 9, "latency_ms": 9})
    assert (answer.calls, answer.latency_ms) == (1, 0.0)


@pytest.mark.parametrize("payload", [{}, {"results": None}, {"results": {}}, [], None, "x"])
def test_an_envelope_without_a_list_of_results_is_no_answer(payload):
    with pytest.raises(ValidationError):
        BulkResolveAnswer.model_validate(payload)


@pytest.mark.parametrize(
    ("raw", "numbers"),
    [
        (
            {
                "a": 1,
                "b": 2.5,
                "c": True,
                "d": "3",
                "e": None,
                "f": float("nan"),
                "g": float("inf"),
                "h": -1,
                "i": 10**400,
            },
            "abh",
        ),
        ([1], ""),
        (None, ""),
        ("x", ""),
    ],
)
def test_only_finite_numbers_of_an_object_become_attributes(raw, numbers):
    assert "".join(finite_numbers(raw)) == numbers


def test_a_lookup_result_requires_an_integer_index():
    assert BulkLookupResult.model_validate({"index": 0, "status": "match", "lookup": {}}).lookup is not None
    for index in (True, "0", None, 0.0):
        with pytest.raises(ValidationError):
            BulkLookupResult.model_validate({"index": index, "status": "match"})


def test_an_identity_requires_whether_it_was_minted():
    assert ResolvedIdentity.model_validate({"identity_id": 1, "kind": "release", "minted": False}).identity_id == 1
    with pytest.raises(ValidationError):
        ResolvedIdentity.model_validate({"identity_id": 1, "kind": "release", "minted": "no"})


def test_health_keeps_unknown_fields():
    health = Health.model_validate({"status": "degraded", "services": {"database": "ok"}, "commit_sha": 3})
    assert (health.status, health.commit_sha, health.model_extra) == (
        "degraded",
        None,
        {"services": {"database": "ok"}},
    )
