"""``wxyc quarantine``: what rests and why, and its release."""

import sys

import pytest

from resources.postgres import Postgres
from tests.pseudo_terminal import on_a_terminal
from wxyc_assets.runs import ledger


@pytest.fixture
def station_with_inputs(at_station):
    """Album 5 rests after three failures; album 6 failed once, and a play was refused once."""
    with Postgres(at_station["DATABASE_URL"]).connect() as connection:
        for _ in range(3):
            rejected = ledger.Rejected(5, "contract_violation", "confidence 7 is not in 0..1", "digest")
            ledger.quarantine(connection, "library_identity", "a-run", [rejected])
        once = [ledger.Rejected(6, "writer_error", "value too long", "digest")]
        ledger.quarantine(connection, "library_identity", "a-run", once)
        ledger.quarantine(
            connection, "flowsheet_enrichment", "a-run", [ledger.Rejected(7, "writer_error", "no", "digest")]
        )
    return at_station


def ids(finished):
    return [each["input_id"] for each in finished.printed["inputs"]]


def test_an_empty_quarantine_says_so(wxyc, at_station):
    finished = wxyc("quarantine", **at_station)
    assert (finished.exit_code, finished.printed["quarantined"]) == (0, 0)


def test_the_inputs_are_listed_with_reason_and_rest(wxyc, station_with_inputs):
    finished = wxyc("quarantine", **station_with_inputs)
    assert (finished.printed["quarantined"], finished.printed["resting"], ids(finished)) == (3, 1, [5, 7, 6])
    first = finished.printed["inputs"][0]
    assert (first["reason"], first["failures"], first["kind"]) == (
        "confidence 7 is not in 0..1",
        3,
        "contract_violation",
    )
    assert first["rests_until"] > first["last_seen_at"]
    for options, listed in (
        (["--asset", "flowsheet_enrichment"], [7]),
        (["--kind", "writer_error", "--input", "6"], [6]),
    ):
        assert ids(wxyc("quarantine", *options, **station_with_inputs)) == listed


def test_a_release_lets_the_inputs_be_asked_again(wxyc, station_with_inputs):
    dry = wxyc("quarantine", "--release", "--dry-run", **station_with_inputs)
    assert (dry.exit_code, dry.printed["released"], dry.printed["dry_run"], ids(dry)) == (0, 1, True, [5])
    refused = wxyc("quarantine", "--release", **station_with_inputs)
    assert (refused.exit_code, "none was" in refused.printed["error"]) == (1, True)
    done = wxyc("quarantine", "--release", "--yes", **station_with_inputs)
    assert (done.exit_code, done.printed["released"], ids(done)) == (0, 1, [5])
    assert ids(wxyc("quarantine", **station_with_inputs)) == [7, 6]


@pytest.mark.parametrize(("answer", "released"), [("y\n", True), ("n\n", False)])
def test_a_release_on_a_terminal_asks_first(station_with_inputs, environ, answer, released):
    environment = {**environ, **station_with_inputs, "TERM": "xterm-256color"}
    arguments = [sys.executable, "-m", "wxyc_assets", "quarantine", "--release"]
    with on_a_terminal(arguments, environment) as terminal:
        terminal.wait_for("ask about 1 inputs again? [y/N]")
        terminal.press(answer)
    screen = " ".join(terminal.lines)
    assert ("1 inputs released: the next run asks about them again" in screen) is released
    assert (terminal.exit_code, "nothing was released" in screen) == ((0, False) if released else (1, True))


@pytest.mark.parametrize("arguments", [["--input", "99"], ["--asset", "library"], ["--yes"], ["--dry-run"]])
def test_what_cannot_be_done_exits_with_1(wxyc, station_with_inputs, arguments):
    finished = wxyc("quarantine", *arguments, **station_with_inputs)
    assert (finished.exit_code, set(finished.printed)) == (1, {"error"})
