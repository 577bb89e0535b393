"""Every input gets exactly one outcome, whatever LML answers, and nothing is written to a row that no answer names."""

import copy
import json
import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wxyc_assets.library_identity.arbitrary_lml import compilation, single, unresolved
from wxyc_assets.evidence import digest
from wxyc_assets.library_identity.verdicts import Identity, Library, Source, counted, judge, judge_one

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("kind", "library_id", "main", "method", "confidence", "provenance")
ID = st.integers(1, 12)  # pages hold 1 to 8: some ids are asked for, some are foreign
GOOD = st.one_of(ID.map(single), ID.map(unresolved), ID.map(compilation))


@st.composite
def damaged(draw):
    answer = copy.deepcopy(draw(GOOD))
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=2)):
        if draw(st.booleans()):
            answer.pop(name, None)
        else:
            answer[name] = draw(JSON)
    return answer


PAGES = st.sets(st.integers(1, 8), max_size=8).map(lambda ids: [library(library_id) for library_id in sorted(ids)])
ANSWERS = st.lists(GOOD | damaged() | JSON, max_size=14)


def library(library_id):
    return Library(library_id, "Chuquimamani-Condori", "Edits", None)


def own_answers(page, results):
    """The first answer to each input, and how many belong to nobody: written down without looking at the code."""
    own, nobodys = {}, 0
    for result in results:
        library_id = result["library_id"] if isinstance(result, dict) and "library_id" in result else None
        asked = type(library_id) is int and any(library_id == one.library_id for one in page)
        if asked and library_id not in own:
            own[library_id] = result
        else:
            nobodys += 1
    return own, nobodys


@settings(max_examples=400, deadline=None)
@given(PAGES, ANSWERS)
def test_every_input_is_counted_once_and_missing_ones_follow_the_min_rule_whatever_lml_answers(page, results):
    judgement = judge(page, results)
    own, nobodys = own_answers(page, results)
    missing = len(page) - len(own)

    assert [outcome.library_id for outcome in judgement.outcomes] == [one.library_id for one in page]
    counters = counted(judgement.outcomes)
    assert counters.scanned == counters.accounted == len(page)
    assert len(judgement.untrusted) == nobodys
    assert counters.lml_untrusted_library_id == min(missing, nobodys)
    assert counters.lml_cardinality_mismatch == missing - min(missing, nobodys)


@settings(max_examples=400, deadline=None)
@given(PAGES, ANSWERS)
def test_only_a_single_artist_answer_that_names_a_library_makes_rows_and_only_of_that_library(page, results):
    own, _ = own_answers(page, results)
    for outcome in judge(page, results).outcomes:
        answer = own.get(outcome.library_id)
        rows = ([outcome.identity] if outcome.identity else []) + list(outcome.sources)
        assert all(row.library_id == outcome.library_id for row in rows)
        assert (outcome.identity is not None) == (outcome.bucket == "resolved")
        if rows:
            assert answer["kind"] == "single_artist"
            assert type(answer["confidence"]) in (int, float)
            assert 0 <= answer["confidence"] <= 1
            assert outcome.identity.method == answer["method"]
            assert outcome.identity.method.strip()
        named = {entry["source"]: entry for entry in answer["provenance"] if isinstance(entry, dict)} if rows else {}
        for source in outcome.sources:
            assert isinstance(named[source.source]["external_id"], str)


@settings(max_examples=200, deadline=None)
@given(PAGES, ANSWERS, st.randoms(use_true_random=False))
def test_the_order_of_answers_changes_nothing_but_which_of_repeated_ones_comes_first(page, results, random):
    own, _ = own_answers(page, results)
    once = [answer for answer in results if answer in own.values() or not isinstance(answer, dict)]
    once = [answer for place, answer in enumerate(once) if answer not in once[:place]]
    shuffled = random.sample(once, len(once))
    there, here = judge(page, once), judge(page, shuffled)
    assert there.outcomes == here.outcomes
    assert len(there.untrusted) == len(here.untrusted)


@settings(max_examples=200, deadline=None)
@given(st.permutations([single(1), compilation(2), unresolved(3), single(4)]))
def test_a_whole_answer_in_any_order_is_trusted_whole(results):
    judgement = judge([library(number) for number in range(1, 5)], results)
    assert [outcome.bucket for outcome in judgement.outcomes] == ["resolved", "compilation", "unresolved", "resolved"]
    assert judgement.untrusted == []


def test_of_repeated_answers_the_first_wins_and_the_others_belong_to_nobody():
    judgement = judge([library(1)], [single(1, method="manual"), single(1, method="llm"), single(1)])
    assert judgement.outcomes[0].identity.method == "manual"
    assert len(judgement.untrusted) == 2


@pytest.mark.parametrize("library_id", [True, "1", 1.0, None, [1], 2])
def test_an_answer_whose_id_is_not_the_very_integer_that_was_asked_belongs_to_nobody(library_id):
    judgement = judge([library(1)], [single(1) | {"library_id": library_id}])
    assert judgement.outcomes[0].bucket == "lml_untrusted_library_id"
    assert len(judgement.untrusted) == 1


@pytest.mark.parametrize(
    ("answers", "untrusted", "mismatched"), [(0, 0, 4), (1, 1, 3), (3, 3, 1), (4, 4, 0), (9, 4, 0)]
)
def test_of_four_unanswered_inputs_as_many_are_untrusted_as_foreign_answers_came(answers, untrusted, mismatched):
    judgement = judge([library(number) for number in range(1, 5)], [single(100 + i) for i in range(answers)])
    buckets = Counter(outcome.bucket for outcome in judgement.outcomes)
    assert buckets["lml_untrusted_library_id"] == untrusted
    assert buckets["lml_cardinality_mismatch"] == mismatched
    assert len(judgement.untrusted) == answers


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
def test_a_verdict_that_breaks_the_contract_is_a_violation_with_a_reason_and_no_row(change):
    answer = single(5, **change)
    outcome = judge_one(5, answer)
    assert outcome.bucket == "contract_violation"
    assert outcome.identity is None
    assert outcome.sources == ()
    assert outcome.reason
    assert outcome.payload_digest == digest(answer)


@pytest.mark.parametrize("confidence", [0, 0.0, 1, 1.0, 0.9, 0.30000000000000004])
def test_the_ends_of_the_range_and_whole_numbers_are_confidences(confidence):
    assert judge_one(5, single(5, confidence=confidence)).identity.confidence == confidence


def test_fields_that_nobody_knows_yet_and_ids_that_are_left_out_do_no_harm():
    outcome = judge_one(5, single(5, main={"new_source_id": [1]}, released="soon", tracks=None))
    assert outcome.identity == Identity(5, None, None, None, "name_variation", 0.93)


def test_a_single_artist_verdict_becomes_exactly_the_rows_that_it_names():
    outcome = judge_one(7, single(7))
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
        entry(source="å" * 1301),  # 2602 bytes: no index of PostgreSQL would take it
        None,
        [],
        "discogs",
    ],
    ids=lambda bad: ascii(bad)[:60],
)
def test_a_provenance_entry_that_can_be_no_row_is_skipped_alone(bad):
    good = entry(source="wikidata")
    outcome = judge_one(1, single(1, provenance=[bad, good]))
    assert outcome.bucket == "resolved"
    assert [source.source for source in outcome.sources] == ["wikidata"]
    assert outcome.source_rows_skipped_invalid == 1
    assert outcome.source_rows_skipped_null_confidence == 0


def test_entries_with_a_null_confidence_are_counted_apart_whatever_else_is_wrong_with_them():
    nulls = [entry(confidence=None), entry(confidence=None, external_id=None), {"confidence": None}]
    outcome = judge_one(1, single(1, provenance=nulls))
    assert outcome.sources == ()
    assert (outcome.source_rows_skipped_null_confidence, outcome.source_rows_skipped_invalid) == (3, 0)


def test_the_last_entry_of_a_source_wins_and_one_that_is_no_row_does_not_erase_an_earlier_one():
    entries = [entry(external_id="first"), entry(external_id="last"), entry(confidence=None), entry(external_id=None)]
    assert judge_one(1, single(1, provenance=entries)).sources == (Source(1, "discogs", "last", "trigram", 0.7),)


@pytest.mark.parametrize("kind", [unresolved, compilation])
def test_an_answer_without_an_artist_brings_no_rows_and_its_provenance_is_not_counted(kind):
    outcome = judge_one(1, kind(1) | {"provenance": [entry(), entry(confidence=None)]})
    assert (outcome.identity, outcome.sources) == (None, ())
    assert outcome.source_rows_skipped_null_confidence == 0


@pytest.mark.parametrize("confidence", [1e-50, 5e-324, -0.0])
def test_a_confidence_that_a_real_column_would_refuse_is_written_as_zero(confidence):
    answer = single(1, confidence=confidence, provenance=[entry(confidence=confidence)])
    outcome = judge_one(1, answer)
    assert (outcome.identity.confidence, outcome.sources[0].confidence) == (0.0, 0.0)


def test_an_answer_nested_deeper_than_python_can_write_costs_nobody_the_page():
    deep = json.loads("[" * 600 + "]" * 600)
    for _ in range(600):
        deep = [deep]
    judgement = judge([library(1), library(2)], [single(1), {"library_id": 2, "kind": deep}, deep])
    assert [outcome.bucket for outcome in judgement.outcomes] == ["resolved", "contract_violation"]
    assert digest(judgement.untrusted)
