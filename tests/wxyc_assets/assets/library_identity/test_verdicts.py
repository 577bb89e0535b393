"""Each input has exactly one outcome, whatever LML answers, and only the answer that names a library makes its rows."""

import copy
import json
import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wxyc_assets.assets.library_identity.fake_lml import compilation, single_artist, unresolved
from wxyc_assets.assets.library_identity.verdicts import (
    Identity,
    Library,
    Outcome,
    Source,
    classify,
    classify_answer,
    count_outcomes,
)
from wxyc_assets.runs.digest import digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("kind", "library_id", "main", "method", "confidence", "provenance")
ID = st.integers(1, 12)  # pages hold 1 to 8: some ids are in the request, some are foreign
GOOD = st.one_of(ID.map(single_artist), ID.map(unresolved), ID.map(compilation))


@st.composite
def damaged(draw):
    answer = copy.deepcopy(draw(GOOD))
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=2)):
        if draw(st.booleans()):
            answer.pop(name, None)
        else:
            answer[name] = draw(JSON)
    return answer


PAGES = st.sets(st.integers(1, 8), max_size=8).map(
    lambda ids: [library_input(library_id) for library_id in sorted(ids)]
)
ANSWERS = st.lists(GOOD | damaged() | JSON, max_size=14)


def library_input(library_id):
    return Library(library_id, "Chuquimamani-Condori", "Edits", None)


def own_answers(page, results):
    """The first answer to each input, and how many answers match no input: the rule, independent of the code."""
    own, unmatched = {}, 0
    for result in results:
        library_id = result["library_id"] if isinstance(result, dict) and "library_id" in result else None
        asked = type(library_id) is int and any(library_id == one.library_id for one in page)
        if asked and library_id not in own:
            own[library_id] = result
        else:
            unmatched += 1
    return own, unmatched


def identity_of(outcome: Outcome) -> Identity:
    """The identity of a resolved library."""
    assert outcome.identity is not None
    return outcome.identity


@settings(max_examples=400, deadline=None)
@given(PAGES, ANSWERS)
def test_every_input_is_counted_once_whatever_lml_answers(page, results):
    """Inputs without an answer are untrusted or mismatched by the rule min(m, u)."""
    classification = classify(page, results)
    own, unmatched = own_answers(page, results)
    missing = len(page) - len(own)

    assert [outcome.library_id for outcome in classification.outcomes] == [one.library_id for one in page]
    counters = count_outcomes(classification.outcomes)
    assert counters.scanned == counters.accounted == len(page)
    assert len(classification.untrusted) == unmatched
    assert counters.lml_untrusted_library_id == min(missing, unmatched)
    assert counters.lml_cardinality_mismatch == missing - min(missing, unmatched)


@settings(max_examples=400, deadline=None)
@given(PAGES, ANSWERS)
def test_only_a_single_artist_answer_makes_rows_of_its_library(page, results):
    own, _ = own_answers(page, results)
    for outcome in classify(page, results).outcomes:
        answer = own.get(outcome.library_id)
        rows = ([outcome.identity] if outcome.identity else []) + list(outcome.sources)
        assert all(row.library_id == outcome.library_id for row in rows)
        assert (outcome.identity is not None) == (outcome.bucket == "resolved")
        if rows:
            assert answer["kind"] == "single_artist"
            assert type(answer["confidence"]) in (int, float)
            assert 0 <= answer["confidence"] <= 1
            assert identity_of(outcome).method == answer["method"]
            assert identity_of(outcome).method.strip()
        entries = [entry for entry in answer["provenance"] if isinstance(entry, dict)] if rows else []
        named = {entry.get("source"): entry for entry in entries}
        for source in outcome.sources:
            assert isinstance(named[source.source]["external_id"], str)


@settings(max_examples=200, deadline=None)
@given(PAGES, ANSWERS, st.randoms(use_true_random=False))
def test_order_of_answers_does_not_matter(page, results, random):
    own, _ = own_answers(page, results)
    once = [answer for answer in results if answer in own.values() or not isinstance(answer, dict)]
    once = [answer for place, answer in enumerate(once) if answer not in once[:place]]
    shuffled = random.sample(once, len(once))
    there, here = classify(page, once), classify(page, shuffled)
    assert there.outcomes == here.outcomes
    assert len(there.untrusted) == len(here.untrusted)


@settings(max_examples=200, deadline=None)
@given(st.permutations([single_artist(1), compilation(2), unresolved(3), single_artist(4)]))
def test_complete_answer_in_any_order_is_trusted(results):
    classification = classify([library_input(number) for number in range(1, 5)], results)
    buckets = [outcome.bucket for outcome in classification.outcomes]
    assert buckets == ["resolved", "compilation", "unresolved", "resolved"]
    assert classification.untrusted == []


def test_first_of_repeated_answers_wins_and_others_are_untrusted():
    classification = classify(
        [library_input(1)], [single_artist(1, method="manual"), single_artist(1, method="llm"), single_artist(1)]
    )
    assert identity_of(classification.outcomes[0]).method == "manual"
    assert len(classification.untrusted) == 2


@pytest.mark.parametrize("library_id", [True, "1", 1.0, None, [1], 2])
def test_answer_without_the_exact_integer_id_is_untrusted(library_id):
    classification = classify([library_input(1)], [single_artist(1) | {"library_id": library_id}])
    assert classification.outcomes[0].bucket == "lml_untrusted_library_id"
    assert len(classification.untrusted) == 1


@pytest.mark.parametrize(
    ("answers", "untrusted", "mismatched"), [(0, 0, 4), (1, 1, 3), (3, 3, 1), (4, 4, 0), (9, 4, 0)]
)
def test_each_foreign_answer_makes_one_missing_input_untrusted(answers, untrusted, mismatched):
    classification = classify(
        [library_input(number) for number in range(1, 5)], [single_artist(100 + i) for i in range(answers)]
    )
    buckets = Counter(outcome.bucket for outcome in classification.outcomes)
    assert buckets["lml_untrusted_library_id"] == untrusted
    assert buckets["lml_cardinality_mismatch"] == mismatched
    assert len(classification.untrusted) == answers


@pytest.mark.parametrize(
    "change",
    [
        {"confidence": 1.000001},
        {"confidence": -0.1},
        {"confidence": math.nan},
        {"confidence": math.inf},
        {"confidence": True},
        {"confidence": "0.9"},
        {"confidence": None},
        {"method": None},
        {"method": ""},
        {"method": "  "},
        {"method": 7},
        {"kind": "unheard_of"},
        {"kind": None},
        {"main": None},
        {"main": []},
        {"main": {"wikidata_qid": 42}},
        {"main": {"discogs_artist_id": "42"}},
        {"provenance": None},
        {"provenance": {}},
    ],
    ids=str,
)
def test_verdict_against_the_contract_is_a_violation_without_row(change):
    answer = single_artist(5, **change)
    outcome = classify_answer(5, answer)
    assert outcome.bucket == "contract_violation"
    assert outcome.identity is None
    assert outcome.sources == ()
    assert outcome.reason
    assert outcome.payload_digest == digest(answer)


@pytest.mark.parametrize("confidence", [0, 0.0, 1, 1.0, 0.9, 0.30000000000000004])
def test_bounds_and_whole_numbers_are_valid_confidences(confidence):
    outcome = classify_answer(5, single_artist(5, confidence=confidence))
    assert identity_of(outcome).confidence == confidence


def test_unknown_fields_and_missing_ids_are_accepted():
    outcome = classify_answer(5, single_artist(5, main={"new_source_id": [1]}, released="soon", tracks=None))
    assert outcome.identity == Identity(5, None, None, None, "name_variation", 0.93)


def test_single_artist_verdict_becomes_its_rows():
    outcome = classify_answer(7, single_artist(7))
    assert outcome.identity == Identity(7, "Q7", "spotify-7", None, "name_variation", 0.93)
    assert outcome.sources == (
        Source(7, "discogs", "1007", "exact_match", 1.0),
        Source(7, "wikidata", "Q7", "alias_match", 0.8),
    )
    assert outcome.source_rows_skipped_null_confidence == 1
    assert outcome.source_rows_skipped_invalid == 0


def entry(**overrides):
    return {"source": "discogs", "method": "trigram", "confidence": 0.7, "external_id": "9", **overrides}


@pytest.mark.parametrize(
    "bad",
    [
        entry(external_id=None),
        {key: value for key, value in entry().items() if key != "external_id"},
        {key: value for key, value in entry().items() if key != "confidence"},
        entry(external_id="9\0"),
        entry(source="dis\0cogs"),
        entry(method="\0"),
        entry(external_id=9),
        entry(confidence=1.5),
        entry(confidence=True),
        entry(source=" "),
        entry(method=""),
        entry(source="\ud800"),
        entry(source="å" * 1301),  # 2602 bytes: too long for an index of PostgreSQL
        None,
        [],
        "discogs",
    ],
    ids=lambda bad: ascii(bad)[:60],
)
def test_invalid_provenance_entry_is_skipped_alone(bad):
    good = entry(source="wikidata")
    outcome = classify_answer(1, single_artist(1, provenance=[bad, good]))
    assert outcome.bucket == "resolved"
    assert [source.source for source in outcome.sources] == ["wikidata"]
    assert outcome.source_rows_skipped_invalid == 1
    assert outcome.source_rows_skipped_null_confidence == 0


def test_entries_with_null_confidence_are_counted_apart():
    nulls = [entry(confidence=None), entry(confidence=None, external_id=None), {"confidence": None}]
    outcome = classify_answer(1, single_artist(1, provenance=nulls))
    assert outcome.sources == ()
    assert (outcome.source_rows_skipped_null_confidence, outcome.source_rows_skipped_invalid) == (3, 0)


def test_last_valid_entry_of_a_source_wins():
    entries = [entry(external_id="first"), entry(external_id="last"), entry(confidence=None), entry(external_id=None)]
    assert classify_answer(1, single_artist(1, provenance=entries)).sources == (
        Source(1, "discogs", "last", "trigram", 0.7),
    )


@pytest.mark.parametrize("kind", [unresolved, compilation])
def test_answer_without_an_artist_makes_no_rows(kind):
    outcome = classify_answer(1, kind(1) | {"provenance": [entry(), entry(confidence=None)]})
    assert (outcome.identity, outcome.sources) == (None, ())
    assert outcome.source_rows_skipped_null_confidence == 0


@pytest.mark.parametrize("confidence", [1e-50, 5e-324, -0.0])
def test_confidence_too_small_for_a_real_column_becomes_zero(confidence):
    answer = single_artist(1, confidence=confidence, provenance=[entry(confidence=confidence)])
    outcome = classify_answer(1, answer)
    assert (identity_of(outcome).confidence, outcome.sources[0].confidence) == (0.0, 0.0)


def test_answer_too_deep_to_digest_affects_no_other_library():
    deep = json.loads("[" * 600 + "]" * 600)
    for _ in range(600):
        deep = [deep]
    classification = classify(
        [library_input(1), library_input(2)], [single_artist(1), {"library_id": 2, "kind": deep}, deep]
    )
    assert [outcome.bucket for outcome in classification.outcomes] == ["resolved", "contract_violation"]
    assert digest(classification.untrusted)
