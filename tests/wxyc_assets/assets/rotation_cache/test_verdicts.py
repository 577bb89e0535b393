"""Every identity has one outcome, whatever LML answers; sources and artists are counted as in the contract."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wxyc_assets.assets.rotation_cache.fake_lml import all_warmed, source, warmed, with_status
from wxyc_assets.assets.rotation_cache import verdicts
from wxyc_assets.assets.rotation_cache.verdicts import classify, count_outcomes

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 9) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
STATUSES = st.sampled_from(["warmed", "not_found", "not_implemented", "error", "thawed", None, 7]) | ANYTHING
ANSWERS = ANYTHING | st.fixed_dictionaries(
    {"identity_id": st.integers(0, 9) | ANYTHING, "status": STATUSES, "sources": ANYTHING}
)


def buckets(classification):
    return {outcome.identity_id: outcome.bucket for outcome in classification.outcomes}


@pytest.mark.parametrize(
    ("status", "bucket"),
    [("warmed", "warmed"), ("not_found", "not_found"), ("not_implemented", "not_implemented"), ("error", "lml_error")],
)
def test_each_status_of_the_contract_has_its_bucket(status, bucket):
    classification = classify([7], [with_status(7, status)])
    assert buckets(classification) == {7: bucket}
    assert (classification.untrusted, classification.missing, classification.unknown_statuses) == ([], 0, [])
    counters = count_outcomes(classification.outcomes)
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
def test_an_unknown_status_is_an_error_and_is_named(status, claimed):
    classification = classify([7], [with_status(7, status, {"discogs": source()})])
    assert buckets(classification) == {7: "lml_error"}
    assert classification.unknown_statuses == [claimed]
    counters = count_outcomes(classification.outcomes)
    assert (counters.lml_error, counters.unknown_status, counters.warmed_releases) == (1, 1, 0)


def test_an_answer_without_a_status_has_an_unknown_status():
    assert classify([7], [{"identity_id": 7}]).unknown_statuses == ["null"]


def test_each_unknown_status_is_named_once_per_batch():
    results = [with_status(1, "thawed"), with_status(2, "warmed"), with_status(3, "frozen"), with_status(4, "thawed")]
    assert classify([1, 2, 3, 4], results).unknown_statuses == ["thawed", "frozen"]


@pytest.mark.parametrize(
    ("sources", "releases", "artists"),
    [
        (None, 0, 0),
        ({}, 0, 0),
        ({"discogs": None}, 0, 0),
        ({"discogs": source()}, 1, 1),
        ({"discogs": source(), "bandcamp": source()}, 2, 2),  # several sources count several times
        ({"discogs": source(artists=())}, 1, 0),  # a release that Discogs has deleted
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
def test_only_successful_sources_and_artists_are_counted(sources, releases, artists):
    (outcome,) = classify([7], [with_status(7, "warmed", sources)]).outcomes
    assert (outcome.bucket, outcome.releases, outcome.artists) == ("warmed", releases, artists)


@pytest.mark.parametrize("status", ["not_found", "not_implemented", "error", "thawed"])
def test_only_a_warmed_identity_has_its_sources_counted(status):
    (outcome,) = classify([7], [with_status(7, status, {"discogs": source()})]).outcomes
    assert (outcome.releases, outcome.artists) == (0, 0)


def test_answers_are_matched_by_id_in_any_order():
    results = [with_status(3, "not_found"), warmed(1), with_status(2, "error")]
    classification = classify([1, 2, 3], results)
    assert buckets(classification) == {1: "warmed", 2: "lml_error", 3: "not_found"}
    assert (classification.untrusted, classification.missing) == ([], 0)


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
def test_surplus_answers_are_untrusted_and_missing_ones_errors(results, untrusted, missing):
    """An answer is surplus if its identity was not requested, was answered before, or is no integer."""
    classification = classify([1, 2, 3], results)
    assert (len(classification.untrusted), classification.missing) == (untrusted, missing)
    counters = count_outcomes(classification.outcomes)
    assert (counters.identities_scanned, counters.lml_error, counters.warmed) == (3, missing, 3 - missing)


def test_the_first_of_two_answers_for_an_identity_counts():
    classification = classify([1, 2], [with_status(1, "not_found"), warmed(1)])
    assert buckets(classification) == {1: "not_found", 2: "lml_error"}


def test_only_a_not_found_answer_leaves_a_digest():
    outcomes = classify([1, 2, 3], [with_status(1, "not_found"), warmed(2), with_status(3, "not_found")]).outcomes
    assert [len(outcome.payload_digest) for outcome in outcomes] == [64, 0, 64]
    assert outcomes[0].payload_digest != outcomes[2].payload_digest


@given(results=st.lists(ANSWERS, max_size=8))
def test_any_answers_give_each_identity_exactly_one_outcome(results):
    """Every answer either belongs to one identity or is untrusted."""
    asked = [1, 2, 3, 4, 5]
    classification = classify(asked, results)
    assert [outcome.identity_id for outcome in classification.outcomes] == asked
    answered = sum(outcome.answered for outcome in classification.outcomes)
    assert answered + len(classification.untrusted) == len(results)
    assert answered + classification.missing == len(asked)
    counters = count_outcomes(classification.outcomes)
    assert counters.identities_scanned == counters.accounted == len(asked)
    assert counters.identities_resolved == counters.resolved_in_buckets


def test_answer_that_cannot_be_read_costs_its_own_identity(monkeypatch):
    def broken(sources):
        if sources == {"deep": 1}:
            raise RecursionError("too deep")
        return 1, 2

    monkeypatch.setattr(verdicts, "_count_warmed", broken)
    found = classify([1, 2], [warmed(1), {"identity_id": 2, "status": "warmed", "sources": {"deep": 1}}])
    assert [(one.bucket, one.refusal) for one in found.outcomes] == [
        ("warmed", ""),
        ("lml_error", "RecursionError: too deep"),
    ]
