"""The index rule, whatever LML answers: each album is decided by its own position, without effect on the others."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.lml.models import Artwork
from tests.wxyc_assets.assets.album_metadata.fake_lml import artwork, failed, match, no_match
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.derivation import derive
from wxyc_assets.assets.album_metadata.verdicts import Album, classify, classify_answer, count_outcomes

ALBUM = Album(1, "Stereolab", "Dots and Loops")
ALBUMS = [Album(100 + 7 * place, f"artist {place}", f"title {place}") for place in range(5)]


def correct_results(count=5):
    return [match(place, release_url=f"release of {place}") for place in range(count)]


def written_releases(classification):
    """The release address of each row, by album."""
    return {one.album_id: one.row.discogs_url for one in classification.outcomes if one.row}


def mismatches_of(classification):
    return [(place, one.got_index, one.album_id) for place, one in classification.mismatches]


def test_answers_in_order_are_written_to_their_albums():
    classification = classify(ALBUMS, correct_results())
    assert written_releases(classification) == {100 + 7 * place: f"release of {place}" for place in range(5)}
    assert (classification.mismatches, classification.surplus) == ([], [])


def test_swapped_answers_affect_their_two_albums():
    results = correct_results()
    results[1], results[3] = results[3], results[1]
    classification = classify(ALBUMS, results)
    assert set(written_releases(classification)) == {100, 114, 128}
    assert mismatches_of(classification) == [(1, 3, 107), (3, 1, 121)]


def test_missing_answer_affects_all_albums_after_it():
    classification = classify(ALBUMS, correct_results()[:2] + correct_results()[3:])
    assert set(written_releases(classification)) == {100, 107}
    assert mismatches_of(classification) == [(2, 3, 114), (3, 4, 121), (4, None, 128)]


def test_missing_last_answer_affects_the_last_album():
    assert mismatches_of(classify(ALBUMS, correct_results(4))) == [(4, None, 128)]


def test_additional_answer_is_surplus():
    classification = classify(ALBUMS, correct_results(6))
    assert len(written_releases(classification)) == 5
    assert classification.surplus == correct_results(6)[5:]


def test_answer_inserted_in_front_affects_all_albums():
    classification = classify(ALBUMS, [match(0), *correct_results()])
    assert set(written_releases(classification)) == {100}
    assert len(classification.surplus) == 1


def test_repeated_answer_is_written_once():
    classification = classify(ALBUMS, [correct_results()[0], correct_results()[0], *correct_results()[2:]])
    assert mismatches_of(classification) == [(1, 0, 107)]


def test_no_answer_affects_all_albums():
    assert [got for _, got, _ in mismatches_of(classify(ALBUMS, []))] == [None] * 5


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
def test_index_must_be_the_integer_of_its_position(index, got):
    classification = classify(ALBUMS, [correct_results()[0], match(index), *correct_results()[2:]])
    ((place, claimed, album_id),) = mismatches_of(classification)
    assert (place, album_id) == (1, 107)
    assert (claimed, type(claimed)) == (got, type(got))
    assert set(written_releases(classification)) == {100, 114, 121, 128}


def test_false_is_not_the_first_position():
    assert mismatches_of(classify(ALBUMS[:1], [match(False)])) == [(0, False, 100)]


@pytest.mark.parametrize("junk", [None, [], "match", 7, True, {}, {"index": None}, [{"index": 1}]])
def test_junk_is_an_unexpected_index_at_its_position(junk):
    classification = classify(ALBUMS, [correct_results()[0], junk, *correct_results()[2:]])
    assert [place for place, _, _ in mismatches_of(classification)] == [1]
    assert len(written_releases(classification)) == 4


def test_unexpected_index_is_quarantined_with_a_digest():
    one = classify_answer(ALBUM, 3, match(4))
    assert one.reason == "position 3: index 4 in its place"
    assert one.kind == "unexpected_index"
    assert len(one.payload_digest) == 64


# The result with the right index


def test_match_has_the_artwork_of_the_best_candidate():
    answer = match(0)
    answer["lookup"]["results"].append({"artwork": artwork(release_url="second")})
    one = classify_answer(ALBUM, 0, answer)
    assert (one.bucket, one.row) == ("match", derive(1, Artwork.model_validate(artwork())))


@pytest.mark.parametrize("results", [[], [None], [{}], [{"artwork": None}], [{"library_item": {"id": 0}}]])
def test_match_without_artwork_has_no_row(results):
    answer = match(0)
    answer["lookup"]["results"] = results
    one = classify_answer(ALBUM, 0, answer)
    assert (one.bucket, one.row, one.kind) == ("match", None, "")
    assert count_outcomes([one]) == Counters(scanned=1, match=1, match_without_artwork=1)


def test_no_match_needs_no_lookup():
    assert classify_answer(ALBUM, 0, no_match(0)).bucket == "no_match"
    assert classify_answer(ALBUM, 0, no_match(0) | {"lookup": None}).bucket == "no_match"


UNANSWERED = [
    ({"timeout": True, "degraded": True, "degraded_reason": "deadline_exceeded"}, "degraded: deadline_exceeded"),
    ({"degraded": True, "degraded_reason": "upstream_unavailable"}, "degraded: upstream_unavailable"),
    ({"degraded": True, "degraded_reason": "solar_flare"}, "degraded: solar_flare"),
    ({"degraded": True}, "degraded: no reason given"),
    ({"timeout": True}, "degraded: timeout"),
    ({"timeout": True, "degraded": True, "degraded_reason": "cache_only"}, "degraded: cache_only"),
]
CACHE_ONLY = {"degraded": True, "degraded_reason": "cache_only"}


@pytest.mark.parametrize(("lookup", "reason"), UNANSWERED)
def test_degraded_answer_teaches_nothing(lookup, reason):
    """Neither a no_match, nor a match without artwork, nor a match of another album."""
    without_artwork, untrusted = match(0), match(0)
    without_artwork["lookup"]["results"] = []
    untrusted["lookup"]["search_type"] = "song_as_artist"
    for answer in (no_match(0), without_artwork, untrusted):
        answer["lookup"].update(lookup)
        one = classify_answer(ALBUM, 0, answer)
        assert (one.bucket, one.reason, one.kind) == ("error", reason, "")
        assert count_outcomes([one]) == Counters(scanned=1, error=1, lml_degraded=1)


@pytest.mark.parametrize(("lookup", "_reason"), UNANSWERED)
def test_degraded_match_with_artwork_is_a_match(lookup, _reason):
    """A service that it did not find is not taken as absent."""
    answer = match(0, spotify_url=None, streaming_status={"spotify": "absent"})
    answer["lookup"].update(lookup)
    one = classify_answer(ALBUM, 0, answer)
    assert one.row
    assert (one.bucket, one.row.artwork_url, one.row.spotify_status) == ("match", artwork()["artwork_url"], None)


def test_answer_from_the_cache_alone_is_definitive():
    assert classify_answer(ALBUM, 0, no_match(0, **CACHE_ONLY)).bucket == "no_match"
    answer = match(0, streaming_status={"bandcamp": "absent"})
    answer["lookup"].update(CACHE_ONLY)
    one = classify_answer(ALBUM, 0, answer)
    assert one.row
    assert one.row.bandcamp_status == "absent"


def test_untrusted_match_has_no_row_and_a_bucket_of_its_own():
    answer = match(0)
    answer["lookup"]["search_type"] = "fallback"
    answer["lookup"]["results"][0]["library_item"] = {"id": 0, "title": "Emperor Tomato Ketchup"}
    one = classify_answer(ALBUM, 0, answer)
    assert (one.bucket, one.row, one.kind) == ("match_untrusted", None, "")
    assert "'fallback'" in one.reason
    assert count_outcomes([one]) == Counters(scanned=1, match_untrusted=1)
    answer["lookup"]["results"][0]["library_item"]["title"] = "DOTS &amp; LOOPS"
    assert classify_answer(Album(1, "Stereolab", "Dots &amp; Loops"), 0, answer).bucket == "match"


def test_lmls_own_error_is_not_quarantined():
    one = classify_answer(ALBUM, 0, failed(0, "x" * 5000))
    assert (one.bucket, one.reason, one.kind) == ("error", "x" * 500, "")
    assert classify_answer(ALBUM, 0, failed(0, None)).reason == "LML failed on this album"


def match_with(path, value):
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
def test_answer_against_the_contract_is_quarantined(path, value, reason):
    one = classify_answer(ALBUM, 0, match_with(path, value))
    assert (one.bucket, one.row, one.kind) == ("error", None, "contract_violation")
    assert one.reason.startswith("breaks the contract: ")
    assert reason in one.reason
    assert count_outcomes([one]) == Counters(scanned=1, error=1, contract_violation=1)


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
    st.builds(
        lambda index, search: {**match(index), "lookup": match(index)["lookup"] | {"search_type": search}},
        INDEXES,
        st.sampled_from(["direct", "fallback", "song_as_artist", "", "none"]),
    ),
    st.builds(lambda index, year: match(index, release_year=year), INDEXES, JUNK),
)
BATCHES = st.integers(0, 7).map(lambda count: [Album(100 + place, "a", "t") for place in range(count)])


def agrees(results, place):
    """The rule, independent of the code: the JSON of the index is the JSON of the position."""
    answer = results[place] if place < len(results) else None
    return isinstance(answer, dict) and json.dumps(answer.get("index")) == str(place)


@given(BATCHES, st.lists(ANSWERS, max_size=9))
def test_only_results_with_the_right_index_are_used(albums, results):
    classification = classify(albums, results)
    assert [one.album_id for one in classification.outcomes] == [album.album_id for album in albums]
    for place, one in enumerate(classification.outcomes):
        assert (one.bucket != "unexpected_index") == agrees(results, place)
        assert one.row is None or one.row.album_id == one.album_id
    assert len(classification.surplus) == max(0, len(results) - len(albums))


@given(BATCHES, st.lists(ANSWERS, max_size=9))
def test_each_album_and_each_match_is_counted_once(albums, results):
    outcomes = classify(albums, results).outcomes
    counts = count_outcomes(outcomes)
    assert counts.scanned == counts.accounted == len(albums)
    assert counts.match == counts.match_without_artwork + sum(one.row is not None for one in outcomes)


@given(st.lists(ANSWERS, min_size=5, max_size=5), st.integers(0, 4), ANSWERS)
def test_one_position_does_not_affect_the_others(results, place, other):
    there = classify(ALBUMS, results).outcomes
    here = classify(ALBUMS, [*results[:place], other, *results[place + 1 :]]).outcomes
    there.pop(place), here.pop(place)
    # As text, because NaN does not equal itself.
    assert repr(there) == repr(here)


@given(st.lists(ANSWERS, max_size=7), st.permutations(range(5)))
def test_answer_is_written_only_for_the_album_of_its_index(results, order):
    shuffled = [correct_results()[place] for place in order]
    assert written_releases(classify(ALBUMS, shuffled)) == {
        ALBUMS[place].album_id: f"release of {place}" for place in range(5) if order[place] == place
    }
