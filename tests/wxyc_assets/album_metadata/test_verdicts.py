"""The index rule, whatever LML answers: each album by its own position alone, its siblings untouched."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.lml.models import Artwork
from tests.wxyc_assets.album_metadata.arbitrary_lml import artwork, failed, match, no_match
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.derivation import derive
from wxyc_assets.album_metadata.verdicts import Album, counted, judge, judge_one

ALBUMS = [Album(100 + 7 * place, f"artist {place}", f"title {place}") for place in range(5)]


def right(count=5):
    return [match(place, release_url=f"release of {place}") for place in range(count)]


def written(judgement):
    """Which album was given whose row."""
    return {one.album_id: one.row.discogs_url for one in judgement.outcomes if one.row}


def unexpected(judgement):
    return [(place, one.got_index, one.album_id) for place, one in judgement.mismatches]


def test_answers_in_order_are_all_written_each_to_its_own_album():
    judgement = judge(ALBUMS, right())
    assert written(judgement) == {100 + 7 * place: f"release of {place}" for place in range(5)}
    assert (judgement.mismatches, judgement.surplus) == ([], [])


def test_swapped_answers_cost_the_two_and_nobody_else():
    results = right()
    results[1], results[3] = results[3], results[1]
    judgement = judge(ALBUMS, results)
    assert set(written(judgement)) == {100, 114, 128}
    assert unexpected(judgement) == [(1, 3, 107), (3, 1, 121)]


def test_a_missing_answer_costs_all_behind_it():
    judgement = judge(ALBUMS, right()[:2] + right()[3:])
    assert set(written(judgement)) == {100, 107}
    assert unexpected(judgement) == [(2, 3, 114), (3, 4, 121), (4, None, 128)]


def test_the_last_answer_missing_costs_the_last():
    assert unexpected(judge(ALBUMS, right(4))) == [(4, None, 128)]


def test_an_answer_too_many_is_surplus_and_costs_nobody():
    judgement = judge(ALBUMS, right(6))
    assert len(written(judgement)) == 5
    assert judgement.surplus == right(6)[5:]


def test_an_answer_inserted_in_front_costs_all_and_is_surplus_at_the_end():
    judgement = judge(ALBUMS, [match(0), *right()])
    assert set(written(judgement)) == {100}
    assert len(judgement.surplus) == 1


def test_a_repeated_answer_is_written_once():
    judgement = judge(ALBUMS, [right()[0], right()[0], *right()[2:]])
    assert unexpected(judgement) == [(1, 0, 107)]


def test_no_answer_at_all_costs_everybody():
    assert [got for _, got, _ in unexpected(judge(ALBUMS, []))] == [None] * 5


@pytest.mark.parametrize(
    ("index", "got"),
    [
        (True, True),
        (1.0, 1.0),
        ("1", "1"),
        (None, None),
        ([1], "a list"),
        ({"index": 1}, "a dict"),
        (-1, -1),
        (0, 0),
        (10**30, str(10**30)),
        ("1" * 5000, "1" * 100),
    ],
)
def test_an_index_that_is_not_the_very_integer_of_its_position_is_unexpected(index, got):
    judgement = judge(ALBUMS, [right()[0], match(index), *right()[2:]])
    ((place, claimed, album_id),) = unexpected(judgement)
    assert (place, album_id) == (1, 107)
    assert (claimed, type(claimed)) == (got, type(got))
    assert set(written(judgement)) == {100, 114, 121, 128}


def test_false_is_not_the_first_position():
    assert unexpected(judge(ALBUMS[:1], [match(False)])) == [(0, False, 100)]


@pytest.mark.parametrize("junk", [None, [], "match", 7, True, {}, {"index": None}, [{"index": 1}]])
def test_what_is_no_answer_at_all_is_unexpected_in_its_place(junk):
    judgement = judge(ALBUMS, [right()[0], junk, *right()[2:]])
    assert [place for place, _, _ in unexpected(judgement)] == [1]
    assert len(written(judgement)) == 4


def test_a_foreign_index_is_quarantined_by_name_and_digest():
    one = judge_one(100, 3, match(4))
    assert one.reason == "position 3: index 4 in its place"
    assert one.kind == "unexpected_index"
    assert len(one.payload_digest) == 64


# What an answer to the album itself means


def test_a_match_is_the_best_candidates_artwork():
    answer = match(0)
    answer["lookup"]["results"].append({"artwork": artwork(release_url="second")})
    one = judge_one(1, 0, answer)
    assert (one.bucket, one.row) == ("match", derive(1, Artwork.model_validate(artwork())))


@pytest.mark.parametrize("results", [[], [None], [{}], [{"artwork": None}], [{"library_item": {"id": 0}}]])
def test_a_match_without_artwork_is_a_match_with_nothing_to_write(results):
    answer = match(0)
    answer["lookup"]["results"] = results
    one = judge_one(1, 0, answer)
    assert (one.bucket, one.row, one.kind) == ("match", None, "")
    assert counted([one]) == Counters(scanned=1, match=1, match_without_artwork=1)


def test_no_match_is_no_match_with_and_without_a_lookup():
    assert judge_one(1, 0, no_match(0)).bucket == "no_match"
    assert judge_one(1, 0, no_match(0) | {"lookup": None}).bucket == "no_match"


@pytest.mark.parametrize(
    ("lookup", "reason"),
    [
        ({"timeout": True, "degraded": True, "degraded_reason": "deadline_exceeded"}, "degraded: deadline_exceeded"),
        ({"degraded": True, "degraded_reason": "upstream_unavailable"}, "degraded: upstream_unavailable"),
        ({"degraded": True}, "degraded: no reason given"),
        ({"timeout": True}, "degraded: timeout"),
    ],
)
def test_an_album_that_lml_had_no_time_to_look_for_is_not_unknown(lookup, reason):
    one = judge_one(1, 0, no_match(0, **lookup))
    assert (one.bucket, one.reason, one.kind) == ("error", reason, "")


def test_lml_s_own_error_is_told_and_is_nothing_of_the_albums_making():
    one = judge_one(1, 0, failed(0, "x" * 5000))
    assert (one.bucket, one.reason, one.kind) == ("error", "x" * 500, "")
    assert judge_one(1, 0, failed(0, None)).reason == "LML failed on this album"


def broken(path, value):
    answer = copy.deepcopy(match(0))
    place = answer
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return answer


ARTWORK = ("lookup", "results", 0, "artwork")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("lookup",), None, "match without a lookup"),
        (("lookup",), [], "lookup"),
        (("status",), "matched", "status"),
        (("status",), None, "status"),
        (("lookup", "results"), None, "results"),
        (("lookup", "results"), ["x"], "answer"),
        (ARTWORK, "x", "artwork"),
        ((*ARTWORK, "release_year"), "1999", "release_year"),
        ((*ARTWORK, "release_year"), 1999.5, "release_year"),
        ((*ARTWORK, "release_year"), True, "release_year"),
        ((*ARTWORK, "spotify_url"), 7, "spotify_url"),
        ((*ARTWORK, "artist_bio"), ["x"], "artist_bio"),
        (("message",), 5, "message"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_an_error_and_quarantined_by_name(path, value, reason):
    one = judge_one(1, 0, broken(path, value))
    assert (one.bucket, one.row, one.kind) == ("error", None, "contract_violation")
    assert one.reason.startswith("breaks the contract: ")
    assert reason in one.reason
    assert counted([one]) == Counters(scanned=1, error=1, contract_violation=1)


# Whatever LML answers

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["index", "status", "lookup"]), inner),
    max_leaves=4,
)
INDEXES = st.integers(-1, 8) | st.booleans() | st.none() | st.sampled_from([1.0, "1", 2**70])
ANSWERS = st.one_of(
    JUNK,
    INDEXES.map(match),
    INDEXES.map(no_match),
    INDEXES.map(failed),
    INDEXES.map(lambda index: no_match(index, degraded=True)),
    st.builds(lambda index, year: match(index, release_year=year), INDEXES, JUNK),
)
BATCHES = st.integers(0, 7).map(lambda count: [Album(100 + place, "a", "t") for place in range(count)])


def agrees(results, place):
    """The contract's rule, said in another way: the JSON of the index is the JSON of the position."""
    answer = results[place] if place < len(results) else None
    return isinstance(answer, dict) and json.dumps(answer.get("index")) == str(place)


@given(BATCHES, st.lists(ANSWERS, max_size=9))
def test_exactly_the_rows_whose_position_and_index_agree_are_looked_at(albums, results):
    judgement = judge(albums, results)
    assert [one.album_id for one in judgement.outcomes] == [album.album_id for album in albums]
    for place, one in enumerate(judgement.outcomes):
        assert (one.bucket != "unexpected_index") == agrees(results, place)
        assert one.row is None or one.row.album_id == one.album_id
    assert len(judgement.surplus) == max(0, len(results) - len(albums))


@given(BATCHES, st.lists(ANSWERS, max_size=9))
def test_every_album_is_counted_once_and_every_match_has_a_row_or_nothing_to_write(albums, results):
    outcomes = judge(albums, results).outcomes
    counts = counted(outcomes)
    assert counts.scanned == counts.accounted == len(albums)
    assert counts.match == counts.match_without_artwork + sum(one.row is not None for one in outcomes)


@given(st.lists(ANSWERS, min_size=5, max_size=5), st.integers(0, 4), ANSWERS)
def test_what_stands_in_one_position_changes_nothing_in_the_others(results, place, other):
    there = judge(ALBUMS, results).outcomes
    here = judge(ALBUMS, [*results[:place], other, *results[place + 1 :]]).outcomes
    there.pop(place), here.pop(place)
    # By text: NaN is no equal of itself.
    assert repr(there) == repr(here)


@given(st.lists(ANSWERS, max_size=7), st.permutations(range(5)))
def test_an_answer_is_written_only_for_the_album_of_its_own_index(results, order):
    shuffled = [right()[place] for place in order]
    assert written(judge(ALBUMS, shuffled)) == {
        ALBUMS[place].album_id: f"release of {place}" for place in range(5) if order[place] == place
    }
