"""The program on a pseudo-terminal: what is on the screen."""

import json
import re
import sys

import pytest

from tests.pseudo_terminal import COLOUR, finished, on_a_terminal
from tests.waiting import wait_for
from tests.wxyc_assets.cli.services.conftest import pids_of
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.faults import Fault

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.fixture
def environment(environ, at_station):
    """A configured station, and a terminal that can colour and redraw."""
    return {**environ, **at_station, "TERM": "xterm-256color"}


@pytest.fixture
def program():
    return lambda *arguments: [sys.executable, "-m", "wxyc_assets", *arguments]


@pytest.fixture
def libraries(station):
    with station.connect() as connection:
        generate_libraries(connection, 48, first_id=1)


@pytest.fixture
def slow_lml(lml):
    """Every answer about libraries takes half a second."""
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="latency", latency_ms=500, times=None))


def is_json(line):
    return line.startswith(("{", "["))


def test_a_run_shows_a_bar_and_then_its_counts(program, environment, home, libraries, slow_lml):
    terminal = finished(program("run", "library_identity"), environment)
    assert terminal.exit_code == 0, terminal.lines
    assert re.search(r"library_identity .*/48 ", terminal.written), "a bar with its total"
    assert not any(is_json(line) for line in terminal.lines)
    assert "library_identity: done" in terminal.lines
    assert any("scanned 48" in line for line in terminal.lines)
    assert not any("/48" in line for line in terminal.lines), "the bar is removed at the end"
    captured = [path.read_text() for path in (home / "dagster").rglob("*.err")]
    assert any('"step":"batch_done"' in text for text in captured), "the page of the run has the JSON lines"


def test_an_lml_that_is_down_is_one_error_with_what_to_do(program, environment, libraries):
    terminal = finished(
        program("run", "library_identity"), {**environment, "LIBRARY_METADATA_URL": "http://127.0.0.1:9"}
    )
    screen = " ".join(terminal.lines)
    assert terminal.exit_code == 1
    assert screen.count("no connection to LML") == 1
    assert screen.count("LML answered none of the 48 libraries") == 1
    assert "`wxyc doctor` says whether it is up" in screen


def test_a_database_that_is_down_is_one_error_with_what_to_do(program, environment):
    down = {**environment, "DATABASE_URL": "postgresql://role@127.0.0.1:9/none"}
    for command in (["status"], ["alerts"], ["budget"], ["run", "library_identity"]):
        terminal = finished(program(*command), down)
        (line,) = filter(None, terminal.lines)
        assert terminal.exit_code == 1
        assert "cannot be reached" in line
        assert "`wxyc doctor`" in line


def test_storage_of_dagster_that_is_down_is_one_error(program, environment):
    down = {**environment, "DAGSTER_DATABASE_URL": "postgresql://role@127.0.0.1:9/none"}
    terminal = finished(program("run", "flowsheet_enrichment"), down)
    (line,) = filter(None, terminal.lines)
    assert terminal.exit_code == 1
    assert "correct DAGSTER_DATABASE_URL" in line


def test_missing_price_file_is_one_error(program, environment):
    terminal = finished(program("run", "rated_usage"), {**environment, "PRICE_FILE": ""})
    assert terminal.exit_code == 1
    assert "\n".join(terminal.lines).count("PRICE_FILE is not set") == 1
    assert "PriceFileError" not in terminal.written


@pytest.mark.parametrize("command", ["status", "alerts", "budget", "doctor"])
def test_text_alone_and_with_json_the_object_alone(program, environment, command):
    text = finished(program(command), environment)
    assert not any(is_json(line) for line in text.lines)
    for arguments in ([command, "--json"], ["--json", command]):
        as_json = finished(program(*arguments), environment)
        assert json.loads("".join(as_json.written.split("\r\n")))
        assert as_json.exit_code == text.exit_code


def test_no_color_is_honoured(program, environment, libraries, slow_lml):
    coloured = finished(program("run", "library_identity", "--dry-run"), environment)
    assert COLOUR.search(coloured.written)
    plain = finished(program("run", "library_identity"), {**environment, "NO_COLOR": "1"})
    assert "library_identity: done" in plain.lines
    assert not COLOUR.search(plain.written)
    assert not COLOUR.search(finished(program("doctor"), {**environment, "NO_COLOR": "1"}).written)


def test_a_dumb_terminal_gets_lines_without_sequences(program, environment, libraries):
    terminal = finished(program("run", "library_identity"), {**environment, "TERM": "dumb"})
    assert "\x1b" not in terminal.written
    assert "  library_identity 0/48 libraries" in terminal.lines
    assert "library_identity: done" in terminal.lines


def test_a_narrow_window_keeps_the_bar_on_one_line(program, environment, libraries, slow_lml):
    """Each picture of the bar that is drawn after the window has shrunk fits into it."""
    with on_a_terminal(program("run", "library_identity"), environment, columns=120) as terminal:
        terminal.wait_for("/48")
        seen = len(terminal.written)
        terminal.resize(24, 44)
    later = terminal.written[seen:]
    pictures = [picture for picture in re.split(r"\r\x1b\[2K|\r?\n", later) if "/48" in picture]
    widths = [len(re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", picture).rstrip("\r")) for picture in pictures[1:]]
    assert widths, later
    assert max(widths) <= 44
    assert terminal.exit_code == 0


def test_ctrl_c_is_one_line_and_gives_the_cursor_back(program, environment, libraries, lml):
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="hang", times=None))
    with on_a_terminal(program("run", "library_identity"), environment) as terminal:
        terminal.wait_for(HIDE_CURSOR)
        terminal.press("\x03")
    assert terminal.exit_code == 1
    assert sum("interrupted" in line for line in terminal.lines) == 1
    assert "Traceback" not in terminal.written
    assert terminal.written.rindex(SHOW_CURSOR) > terminal.written.rindex(HIDE_CURSOR)


def test_closed_terminal_ends_a_run_in_order(program, environment, libraries, lml, home, station):
    """The kernel sends the hangup to the whole session; no write to the closed terminal fails the end."""
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="hang", times=None))
    with on_a_terminal(program("run", "library_identity"), environment) as terminal:
        terminal.wait_for(HIDE_CURSOR)
        wait_for(lambda: lml.requests, "request of the run")
        terminal.close()
    assert terminal.exit_code == 1
    assert not pids_of(home)
    with station.connect() as connection:
        ended = connection.execute("SELECT verdict, reason, ended_at IS NOT NULL FROM wxyc_assets.run").fetchall()
    assert ended == [("failed", "DagsterExecutionInterruptedError", True)]
