"""The terminal of a command: which log lines it shows, and when."""

import io
import os
import sys
from pathlib import Path

import pytest

from wxyc_assets.cli.progress_bar import DumbProgress, ProgressBar
from wxyc_assets.cli.terminal import Terminal, TerminalConsole, command_console
from wxyc_assets.runs.progress import NoProgress


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture(autouse=True)
def a_plain_terminal(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def stream():
    return FakeTerminal()


@pytest.fixture
def terminal(stream):
    return Terminal(stream)


def line(level, step, **fields):
    return {"timestamp": "2026-06-08T10:00:00.000Z", "level": level, "step": step, "message": "", **fields}


def test_a_warning_is_shown_once_and_counted(terminal, stream):
    for batch in range(3):
        terminal.show(line("warn", "lml_error", error_message="timed out", batch=batch))
    terminal.end_run("")
    shown = stream.getvalue()
    assert shown.count("timed out") == 1
    assert "lml_error: 2 more like it" in shown


def test_warnings_of_numbers_alone_are_shown_once(terminal, stream):
    for library_id in range(3):
        terminal.show(line("warn", "lml_untrusted_library_id", library_id=library_id))
    terminal.end_run("")
    shown = stream.getvalue()
    assert "lml_untrusted_library_id (library_id=0)" in shown
    assert "library_id=1" not in shown
    assert "lml_untrusted_library_id: 2 more like it" in shown


def test_an_error_is_shown_at_the_end_unless_the_reason_has_it(terminal, stream):
    terminal.show(line("error", "deploy_guard", error_message="the gate is closed"))
    terminal.show(line("error", "unpriced", message="3 events have no price"))
    terminal.show(line("error", "failed", error_message="the gate is closed; failed checks: gate"))
    assert stream.getvalue() == ""
    terminal.end_run("the gate is closed; failed checks: gate")
    assert "3 events have no price" in stream.getvalue()
    assert "the gate" not in stream.getvalue()


def test_lines_of_numbers_alone_are_left_to_the_bar(terminal, stream):
    terminal.show(line("info", "batch_done", scanned=5))
    terminal.show(line("info", "unit_wait", message="waiting: shard 3"))
    assert "batch_done" not in stream.getvalue()
    assert "waiting: shard 3" in stream.getvalue()


def test_a_new_run_shows_its_own_warnings(terminal, stream):
    for _ in range(2):
        terminal.show(line("warn", "lml_error", error_message="timed out"))
        terminal.end_run("")
    assert stream.getvalue().count("timed out") == 2


def test_streams_of_dagster_are_not_those_of_the_terminal(terminal):
    stderr, stdout = os.fstat(2), sys.stdout
    with TerminalConsole(terminal, ()).executing():
        assert os.fstat(2).st_rdev == Path(os.devnull).stat().st_rdev
        assert sys.stdout is not stdout
    assert os.fstat(2) == stderr
    assert sys.stdout is stdout


def test_console_of_a_pipe_has_no_progress_and_hides_secrets(monkeypatch):
    monkeypatch.setenv("LML_API_KEY", "a-secret-key")
    console = command_console()
    assert isinstance(console.progress, NoProgress)
    assert console.show is None
    assert "a-secret-key" in console.secrets


@pytest.mark.parametrize(("term", "progress"), [("xterm", ProgressBar), ("dumb", DumbProgress)])
def test_kind_of_terminal_decides_how_progress_is_shown(monkeypatch, stream, term, progress):
    monkeypatch.setenv("TERM", term)
    assert isinstance(Terminal(stream).progress, progress)
