"""The pictures of the UI in docs/img are those that the stories in tests/browser take, and small enough to be looked at."""

import re
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.pictures import PICTURES, SIZE

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "img"
STORIES = sorted((ROOT / "tests" / "browser").glob("test_*.py"))


def test_every_picture_is_taken_by_one_story():
    taken = [name for story in STORIES for name in re.findall(r'\bpicture\("([^"]+)"\)', story.read_text())]
    assert sorted(taken) == sorted(PICTURES)


def test_there_is_no_other_picture_of_the_ui():
    assert {path.name for path in FOLDER.glob("ui-*.png")} == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_the_shape_of_the_browser_and_loads_at_once(name):
    with Image.open(FOLDER / name) as picture:
        assert picture.width >= SIZE[0]
        assert picture.width * SIZE[1] == picture.height * SIZE[0]
    assert (FOLDER / name).stat().st_size < 150_000


def test_the_stories_are_left_alone_unless_they_are_asked_for(pytestconfig):
    assert STORIES
    assert "browser" in pytestconfig.getini("norecursedirs")
