"""Compilations: what the generator stores of them, and what an LML with tracks says of the same titles."""

import pytest

from wxyc_assets.sandbox.compilation_generator import generate_compilations
from wxyc_assets.sandbox.compilations import card_credits, compilation_title, lml_tracks
from wxyc_assets.sandbox.lml.tracks import tracks_of

TITLE = compilation_title("Blue Ghost", 17, 580)
STORED = "SELECT artist_name, track_title FROM compilation_track_artist WHERE library_id = 17 ORDER BY id"


def test_generated_compilations_are_filed_under_z_with_credits(empty_station):
    assert generate_compilations(empty_station, 3, credits_each=40, first_id=16) == 3
    assert generate_compilations(empty_station, 1, credits_each=2) == 1
    assert empty_station.execute(
        "SELECT l.id, l.artist_name, l.code_volume_letters LIKE 'Z_', l.canonical_entity_id IS NOT NULL, count(*), "
        "count(*) FILTER (WHERE c.track_artist_link_method = 'librarian') FROM library l "
        "JOIN compilation_track_artist c ON c.library_id = l.id GROUP BY l.id ORDER BY 1"
    ).fetchall() == [
        (16, "Various Artists", True, True, 40, 1),
        (17, "Various Artists", True, True, 40, 1),
        (18, "Various Artists", True, True, 40, 1),
        (19, "Various Artists", True, True, 2, 0),
    ]


def test_lml_knows_each_stored_credit_of_a_generated_compilation(empty_station):
    generate_compilations(empty_station, 1, credits_each=580, first_id=17)
    ((title,),) = empty_station.execute("SELECT album_title FROM library WHERE id = 17").fetchall()
    stored = set(empty_station.execute(STORED).fetchall())
    named = {(track["artist_name"], track["track_title"]) for track in tracks_of(title)}
    assert len(stored) == 580
    assert stored < named


def test_tracks_have_the_cases_that_the_rules_distinguish():
    tracks = lml_tracks(TITLE)
    keys = [(track.artist_name, track.track_title) for track in tracks]
    assert len(set(keys)) < len(keys)  # some at two positions
    assert any(track.resolved_artist_name is None and track.confidence is None for track in tracks)
    assert any(track.track_title is None for track in tracks)
    assert any(credit.position is None for credit in card_credits(TITLE))
    assert any(credit.by_librarian for credit in card_credits(TITLE))
    assert lml_tracks(TITLE) == tracks


@pytest.mark.parametrize("title", ["No New York", "C86"])
def test_lml_knows_the_compilations_of_the_sample(sample_station, title):
    stored = sample_station.execute(
        "SELECT c.artist_name, c.track_title FROM compilation_track_artist c JOIN library l ON l.id = c.library_id "
        "WHERE l.album_title = %s",
        [title],
    ).fetchall()
    assert stored
    assert set(stored) == {(track["artist_name"], track["track_title"]) for track in tracks_of(title)}


def test_lml_knows_no_tracks_of_another_title():
    assert tracks_of("Dots and Loops") == []
