"""Where a result is printed: text on a terminal, one object elsewhere; each of them once."""

import io
import json
from decimal import Decimal

import pytest

from wxyc_assets.cli.outcome import Outcome, Output, numbers

RESULT = Outcome({"open": 1}, lines=["1 open"])
ERROR = Outcome({"error": "no"}, 1, problem="wxyc: no")


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def a_terminal_without_colours(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")


def printed(outcome, capsys, *, wants_json=False):
    """Print on a terminal; return what stdout and stderr got."""
    stdout = FakeTerminal()
    Output(stdout, wants_json=wants_json).print(outcome)
    return stdout.getvalue(), capsys.readouterr().err


def test_a_terminal_shows_text_alone(capsys):
    assert printed(RESULT, capsys) == ("1 open\n", "")
    assert printed(ERROR, capsys) == ("", "wxyc: no\n")


@pytest.mark.parametrize(
    ("environ", "shown"),
    [
        ({}, "  \x1b[31mFAIL\x1b[0m LML\n"),
        ({"NO_COLOR": "1"}, "  FAIL LML\n"),
        ({"TERM": "dumb"}, "  FAIL LML\n"),
    ],
)
def test_verdict_has_its_colour_where_the_terminal_has_some(capsys, monkeypatch, environ, shown):
    monkeypatch.delenv("NO_COLOR")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert printed(Outcome({"ok": False}, lines=["  FAIL LML"]), capsys)[0] == shown


def test_a_result_without_text_is_an_object_on_a_terminal(capsys):
    assert printed(Outcome({"open": 1}), capsys) == ('{\n  "open": 1\n}\n', "")


@pytest.mark.parametrize(("outcome", "expected"), [(RESULT, {"open": 1}), (ERROR, {"error": "no"})])
def test_option_json_prints_the_object_alone_on_a_terminal(capsys, monkeypatch, outcome, expected):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    stdout, stderr = printed(outcome, capsys, wants_json=True)
    assert (json.loads(stdout), stderr) == (expected, "")


@pytest.mark.parametrize(("outcome", "text"), [(RESULT, "1 open\n"), (ERROR, "wxyc: no\n")])
def test_a_pipe_gets_the_object_on_one_line_and_stderr_the_text(capsys, outcome, text):
    stdout = io.StringIO()
    Output(stdout).print(outcome)
    assert json.loads(stdout.getvalue()) == outcome.printed
    assert stdout.getvalue().count("\n") == 1
    assert capsys.readouterr().err == text


def test_counts_that_are_zero_are_left_out():
    counts = {
        "scanned": 8,
        "rows_skipped": {"lml_error": 2, "writer_error": 0},
        "cost": Decimal("0.000"),
        "moved": "-0.00",
        "none": None,
    }
    assert numbers(counts) == ["scanned 8", "rows_skipped.lml_error 2"]


# Secrets, and text that is no Unicode


@pytest.mark.parametrize("wants_json", [False, True])
def test_a_result_has_no_secret_in_any_encoding(capsys, monkeypatch, wants_json):
    monkeypatch.setenv("LML_API_KEY", "sk-7f3a9c")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hun/ter2@h/db")
    told = "it said sk%2D7f3a9c, then c2stN2YzYTlj, then hun/ter2"
    outcome = Outcome({"says": [told, {told: Decimal("0.1")}]}, 1, lines=[told], problem=told)
    whole = "".join(printed(outcome, capsys, wants_json=wants_json))
    assert "it said [redacted], then [redacted], then [redacted]" in whole
    assert not any(spelling in whole for spelling in ("sk%2D7f3a9c", "c2stN2YzYTlj", "ter2"))


def test_a_secret_that_a_command_exists_to_show_is_printed(capsys, monkeypatch):
    monkeypatch.setenv("LML_API_KEY", "sandbox-key")
    outcome = Outcome({"LML_API_KEY": "sandbox-key"}, shows=["sandbox-key"])
    assert json.loads(printed(outcome, capsys)[0]) == {"LML_API_KEY": "sandbox-key"}


def test_bytes_that_are_not_utf_8_are_printed_as_escapes(capsys):
    outcome = Outcome({"file": "a\udcff"}, lines=["a\udcff"])
    assert printed(outcome, capsys)[0] == "a\\udcff\n"
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    Output(stdout).print(outcome)
    stdout.seek(0)
    assert json.loads(stdout.read()) == {"file": "a\udcff"}
