"""The stories in tests/browser take all pictures of the UI in docs/img, and the files are small."""

import re
from pathlib import Path

import pytest
from PIL import Image

from tests.browser.pictures import CROPPED, PICTURES, READABLE_WIDTH, SIZE

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "img"
STORIES = sorted((ROOT / "tests" / "browser").glob("test_*.py"))


def test_every_picture_is_taken_by_one_story():
    taken = [name for story in STORIES for name in re.findall(r'\bpicture\("([^"]+)"', story.read_text())]
    assert sorted(taken) == sorted(PICTURES)


def test_docs_img_has_no_other_picture_of_the_ui():
    assert {path.name for path in FOLDER.glob("ui-*.png")} == set(PICTURES)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_has_the_size_of_the_browser_and_is_small(name):
    with Image.open(FOLDER / name) as picture:
        if name in CROPPED:
            assert READABLE_WIDTH * 0.8 < picture.width <= READABLE_WIDTH
        else:
            assert picture.size == SIZE
    assert (FOLDER / name).stat().st_size < 150_000


def test_make_test_does_not_run_the_stories(pytestconfig):
    assert STORIES
    assert "browser" in pytestconfig.getini("norecursedirs")
