"""The progress of a run on a terminal."""

import io
import re
from unittest.mock import Mock

import pytest
from rich.console import Console

from wxyc_assets.cli.progress_bar import DumbProgress, ProgressBar


@pytest.fixture
def console():
    return Console(file=io.StringIO(), force_terminal=True, width=100, no_color=True, highlight=False)


def shown(console):
    return console.file.getvalue()


@pytest.mark.parametrize(("named", "count"), [({"unit": "plays"}, "3/8 plays"), ({}, "3/8 inputs")])
def test_bar_shows_label_done_total_and_unit(console, named, count):
    bar = ProgressBar(console)
    bar.start("flowsheet_enrichment", 8, **named)
    bar.advance(3)
    bar.finish()
    assert count in shown(console)
    assert "flowsheet_enrichment" in shown(console)


def test_bar_says_what_the_run_waits_for_and_until_when(console):
    bar = ProgressBar(console)
    bar.start("album_metadata", 8, unit="albums")
    bar.wait("for the Discogs budget", 3600)
    bar.finish()
    assert re.search(r"waits until \d\d:\d\d:\d\d for the Discogs budget", shown(console))


@pytest.mark.parametrize("width", [40, 60, 70, 80])
def test_bar_is_one_line_in_a_narrow_window(width):
    console = Console(file=io.StringIO(), force_terminal=True, width=width, no_color=True)
    bar = ProgressBar(console)
    bar.start("flowsheet_enrichment", 64_000, unit="identities")
    bar.wait("for the Discogs budget", 3600)
    bar.finish()
    pictures = [re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", line) for line in re.split(r"\r|\n", shown(console))]
    assert max(map(len, pictures)) <= width
    assert sum("flow" in picture for picture in pictures) == sum(bool(picture.strip()) for picture in pictures)
    if width == 80:
        assert re.search(r"flowsheet_enrichment +0/64000 identities waits until \d\d:\d\d", " ".join(pictures))


def test_bar_counts_the_errors_that_are_shown_at_the_end(console):
    bar = ProgressBar(console)
    bar.problems = 2
    bar.start("album_metadata", 8)
    bar.finish()
    assert "2 errors" in shown(console)


def test_bar_of_an_unknown_total_shows_what_is_done(console):
    bar = ProgressBar(console)
    bar.start("library_identity", None, unit="libraries")
    bar.advance(500)
    bar.finish()
    assert "500 libraries" in shown(console)


def test_bar_gives_the_cursor_back(console):
    bar = ProgressBar(console)
    bar.start("library_identity", 8)
    bar.finish()
    assert shown(console).rindex("\x1b[?25h") > shown(console).rindex("\x1b[?25l")


def test_bar_whose_start_was_interrupted_gives_the_cursor_back(console, monkeypatch):
    """By a Ctrl-C between the hidden cursor and what rich does next."""
    monkeypatch.setattr(console, "push_render_hook", Mock(side_effect=KeyboardInterrupt))
    bar = ProgressBar(console)
    with pytest.raises(KeyboardInterrupt):
        bar.start("library_identity", 8)
    bar.finish()
    assert shown(console).rindex("\x1b[?25h") > shown(console).rindex("\x1b[?25l")


def test_bar_that_never_started_can_finish(console):
    bar = ProgressBar(console)
    bar.advance(3)
    bar.wait("for a test", 3)
    bar.finish()
    assert shown(console) == ""


def test_dumb_terminal_gets_a_line_now_and_then(console):
    now = [100.0]
    progress = DumbProgress(console, clock=lambda: now[0])
    progress.start("album_metadata", 10, unit="albums")
    for _ in range(4):
        now[0] += 4
        progress.advance(2)
    progress.wait("for the Discogs budget", 5)
    progress.advance(2)
    progress.finish()
    assert [text.strip() for text in shown(console).splitlines()] == [
        "album_metadata 0/10 albums",
        "album_metadata 6/10 albums",
        "album_metadata 10/10 albums",
    ]
