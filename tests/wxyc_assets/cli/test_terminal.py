"""A person at a terminal sees how far a run is, in the words of its asset."""

import pytest

from wxyc_assets.cli.terminal import Bar


@pytest.fixture
def a_terminal(monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize(("named", "shown"), [({"unit": "plays"}, "3/8 plays"), ({}, "3/8 inputs")])
def test_the_bar_says_what_is_done_of_how_many_and_of_what(a_terminal, capsys, named, shown):
    bar = Bar()
    bar.start("flowsheet_enrichment", 8, **named)
    bar.advance(3)
    bar.finish()
    told = capsys.readouterr()
    assert shown in told.err
    assert "flowsheet_enrichment" in told.err
    assert told.out == ""


def test_a_bar_that_never_began_can_be_told_to_end(capsys):
    bar = Bar()
    bar.advance(3)
    bar.finish()
    assert capsys.readouterr() == ("", "")
