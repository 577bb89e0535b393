"""One outcome an identity, whatever LML says; sources and artists counted as the contract has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wxyc_assets.rotation_cache.warming_lml import all_warmed, said, source, warmed
from wxyc_assets.rotation_cache.verdicts import counted, judge

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
STATUSES = st.sampled_from(["warmed", "not_found", "not_implemented", "error", "thawed", None, 7]) | ANYTHING
ANSWERS = ANYTHING | st.fixed_dictionaries(
    {"identity_id": st.integers(0, 9) | ANYTHING, "status": STATUSES, "sources": ANYTHING}
)


def buckets(judgement):
    return {outcome.identity_id: outcome.bucket for outcome in judgement.outcomes}


@pytest.mark.parametrize(
    ("status", "bucket"),
    [("warmed", "warmed"), ("not_found", "not_found"), ("not_implemented", "not_implemented"), ("error", "lml_error")],
)
def test_each_status_of_the_contract_is_counted_as_what_it_says(status, bucket):
    judgement = judge([7], [said(7, status)])
    assert buckets(judgement) == {7: bucket}
    assert (judgement.untrusted, judgement.missing, judgement.unknown_statuses) == ([], 0, [])
    counters = counted(judgement.outcomes)
    assert (counters.identities_scanned, getattr(counters, bucket)) == (1, 1)
    assert counters.identities_resolved == (bucket != "lml_error")
    assert counters.accounted == 1


@pytest.mark.parametrize(
    ("status", "claimed"),
    [
        ("thawed", "thawed"),
        ("Warmed", "Warmed"),
        ("", ""),
        (None, "null"),
        (True, "true"),
        (1, "1"),
        (["warmed"], "list"),
        ({"status": "warmed"}, "dict"),
        ("x" * 500, "x" * 100),
    ],
)
def test_a_status_that_nobody_knows_is_an_error_and_named(status, claimed):
    judgement = judge([7], [said(7, status, {"discogs": source()})])
    assert buckets(judgement) == {7: "lml_error"}
    assert judgement.unknown_statuses == [claimed]
    counters = counted(judgement.outcomes)
    assert (counters.lml_error, counters.unknown_status, counters.warmed_releases) == (1, 1, 0)


def test_an_answer_without_a_status_is_one_with_an_unknown_status():
    assert judge([7], [{"identity_id": 7}]).unknown_statuses == ["null"]


def test_each_unknown_status_is_named_once_a_batch():
    results = [said(1, "thawed"), said(2, "warmed"), said(3, "frozen"), said(4, "thawed")]
    assert judge([1, 2, 3, 4], results).unknown_statuses == ["thawed", "frozen"]


@pytest.mark.parametrize(
    ("sources", "releases", "artists"),
    [
        (None, 0, 0),
        ({}, 0, 0),
        ({"discogs": None}, 0, 0),
        ({"discogs": source()}, 1, 1),
        ({"discogs": source(), "bandcamp": source()}, 2, 2),  # several sources count several times
        ({"discogs": source(artists=())}, 1, 0),  # Discogs has deleted the release
        ({"discogs": source("error", ("success", "error", "success"))}, 0, 2),  # counted although the release failed
        ({"discogs": source("not_implemented", ("not_implemented",))}, 0, 0),
        ({"discogs": source(), "bandcamp": None, "spotify": source("error", ())}, 1, 1),
        ({"discogs": {"release_outcome": "success"}}, 1, 0),  # no artists
        ({"discogs": {"release_outcome": "success", "artists": None}}, 1, 0),
        ({"discogs": {"release_outcome": "success", "artists": [None, {"outcome": "success"}]}}, 1, 1),
        ({"discogs": {"artists": [{"outcome": "success"}]}}, 0, 1),
        ({"discogs": {"release_outcome": "success", "artists": "success"}}, 1, 0),
        ({"discogs": {"release_outcome": "success", "artists": ["success", 7, []]}}, 1, 0),
        ({"discogs": {"release_outcome": ["success"], "artists": [{"outcome": {"success": 1}}]}}, 0, 0),
        ({"discogs": "success"}, 0, 0),
        (["success"], 0, 0),
        ("success", 0, 0),
    ],
)
def test_sources_and_artists_are_counted_where_they_succeeded_and_skipped_where_they_are_null(
    sources, releases, artists
):
    (outcome,) = judge([7], [said(7, "warmed", sources)]).outcomes
    assert (outcome.bucket, outcome.releases, outcome.artists) == ("warmed", releases, artists)


@pytest.mark.parametrize("status", ["not_found", "not_implemented", "error", "thawed"])
def test_only_a_warmed_identity_has_its_sources_counted(status):
    (outcome,) = judge([7], [said(7, status, {"discogs": source()})]).outcomes
    assert (outcome.releases, outcome.artists) == (0, 0)


def test_answers_are_matched_by_id_whatever_their_order():
    results = [said(3, "not_found"), warmed(1), said(2, "error")]
    judgement = judge([1, 2, 3], results)
    assert buckets(judgement) == {1: "warmed", 2: "lml_error", 3: "not_found"}
    assert (judgement.untrusted, judgement.missing) == ([], 0)


@pytest.mark.parametrize(
    ("results", "untrusted", "missing"),
    [
        ([], 0, 3),
        (all_warmed([1, 2]), 0, 1),
        (all_warmed([1, 2, 3, 4]), 1, 0),  # foreign
        (all_warmed([1, 2, 4]), 1, 1),  # foreign in the place of another
        (all_warmed([1, 2, 3, 3]), 1, 0),  # repeated
        (all_warmed([1, 1, 1]), 2, 2),
        ([warmed(1), None, warmed(3)], 1, 1),
        ([warmed(1), [], warmed(3)], 1, 1),
        ([warmed(1), warmed(2), {**warmed(3), "identity_id": "3"}], 1, 1),
        ([warmed(1), warmed(2), {**warmed(3), "identity_id": 3.0}], 1, 1),
        ([{**warmed(1), "identity_id": True}, warmed(2), warmed(3)], 1, 1),
        ([{**warmed(1), "identity_id": [1]}, warmed(2), warmed(3)], 1, 1),
        ([{"status": "warmed"}, warmed(2), warmed(3)], 1, 1),
    ],
)
def test_what_was_not_asked_is_untrusted_and_who_was_left_out_is_an_error(results, untrusted, missing):
    judgement = judge([1, 2, 3], results)
    assert (len(judgement.untrusted), judgement.missing) == (untrusted, missing)
    counters = counted(judgement.outcomes)
    assert (counters.identities_scanned, counters.lml_error, counters.warmed) == (3, missing, 3 - missing)


def test_of_two_answers_about_one_identity_the_first_counts():
    judgement = judge([1, 2], [said(1, "not_found"), warmed(1)])
    assert buckets(judgement) == {1: "not_found", 2: "lml_error"}


def test_only_what_lml_does_not_know_leaves_a_digest_of_its_answer():
    outcomes = judge([1, 2, 3], [said(1, "not_found"), warmed(2), said(3, "not_found")]).outcomes
    assert [len(outcome.payload_digest) for outcome in outcomes] == [64, 0, 64]
    assert outcomes[0].payload_digest != outcomes[2].payload_digest


@given(results=st.lists(ANSWERS, max_size=8))
def test_whatever_comes_every_identity_has_one_outcome_and_every_answer_one_place(results):
    asked = [1, 2, 3, 4, 5]
    judgement = judge(asked, results)
    assert [outcome.identity_id for outcome in judgement.outcomes] == asked
    answered = sum(outcome.answered for outcome in judgement.outcomes)
    assert answered + len(judgement.untrusted) == len(results)
    assert answered + judgement.missing == len(asked)
    counters = counted(judgement.outcomes)
    assert counters.identities_scanned == counters.accounted == len(asked)
    assert counters.identities_resolved == counters.resolved_in_buckets
