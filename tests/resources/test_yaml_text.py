"""Nodes with lines, and texts of a file in messages."""

import pytest

from resources.yaml_text import MAX_SHOWN_CHARS, Problem, Text, shown


@pytest.mark.parametrize("spelling", ["", "~", "null", "Null", "NULL"])
def test_a_null_is_absent_and_its_quoted_spelling_is_not(spelling):
    assert Text(spelling, 1).absent
    assert not Text(spelling, 1, quoted=True).absent


@pytest.mark.parametrize("text", ["0", "nil", "nULL", " ", "none"])
def test_any_other_text_is_present(text):
    assert not Text(text, 1).absent


def test_a_problem_names_its_line_if_it_has_one():
    assert str(Problem(3, "is wrong")) == "line 3: is wrong"
    assert str(Problem(None, "the file is empty")) == "the file is empty"


def test_a_shown_text_cannot_disturb_a_terminal_or_fill_a_log():
    assert shown("\x1b[31m\n") == r"'\x1b[31m\n'"
    assert shown("\ud800").encode() == rb"'\ud800'"
    assert shown("x" * MAX_SHOWN_CHARS) == repr("x" * MAX_SHOWN_CHARS)
    assert len(shown("x" * 10_000)) == MAX_SHOWN_CHARS + 3
