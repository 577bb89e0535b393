"""A match is trusted if the search was for the album itself, or if its title is the one that was asked."""

import pytest

from resources.lml.models import LookupHit
from wxyc_assets.assets.album_metadata.trust import is_trusted

OTHER_SEARCHES = ["fallback", "alternative", "none", "", "a_new_kind"]


def hit(item):
    return LookupHit.model_validate({"library_item": item, "artwork": {"release_id": 7}})


@pytest.mark.parametrize("search_type", ["direct", "compilation"])
@pytest.mark.parametrize("item", [None, {"id": 0, "title": "another"}, {"id": 5, "title": "another"}])
def test_search_for_the_album_is_trusted(search_type, item):
    assert is_trusted(search_type, hit(item), "Dots and Loops")


def test_search_for_a_song_is_never_trusted():
    assert not is_trusted("song_as_artist", hit({"id": 0, "title": "Dots and Loops"}), "Dots and Loops")


@pytest.mark.parametrize("search_type", OTHER_SEARCHES)
@pytest.mark.parametrize(
    ("item", "trusted"),
    [
        ({"id": 0, "title": "Dots and Loops"}, True),
        ({"id": 0, "title": "  dots AND: l\u00f3ops! "}, True),
        ({"id": 0, "title": "Dots and L&oacute;ops"}, True),
        ({"id": 0, "title": "Dots and Loops (Deluxe)"}, False),
        ({"id": 0, "title": "Emperor Tomato Ketchup"}, False),
        ({"id": 5, "title": "Dots and Loops"}, False),
        ({"id": "0", "title": "Dots and Loops"}, False),
        ({"id": False, "title": "Dots and Loops"}, False),
        ({"id": 0, "title": None}, False),
        ({"id": 0, "title": ""}, False),
        ({"id": 0}, False),
        ("junk", False),
        (None, False),
    ],
)
def test_other_searches_need_the_title_that_was_asked(search_type, item, trusted):
    assert is_trusted(search_type, hit(item), "Dots and Loops") is trusted


def test_title_without_letters_equals_only_itself():
    assert is_trusted("fallback", hit({"id": 0, "title": "!!!"}), "!!!")
    assert not is_trusted("fallback", hit({"id": 0, "title": "???"}), "!!!")


def test_search_without_a_candidate_is_not_trusted():
    assert not is_trusted("fallback", None, "Dots and Loops")
