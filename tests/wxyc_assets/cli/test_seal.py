"""``wxyc seal`` and ``wxyc verify``: exit codes, one object, and what an operator reads."""

import io

import click
import pytest

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, RatedUsageRuns, event
from wxyc_assets.cli import bill, seal, verify
from wxyc_assets.cli.outcome import CannotError, Output

WINDOW = ("--since", "2026-06-08T10:00:00Z", "--until", "2026-06-08T12:00:00Z")
UNTIL = ("--until", "2026-06-08T12:00:00Z")
REOPEN = ("--reopen", "--hour", "2026-06-08T10:00:00Z", "--reason", "a credit")


@pytest.fixture
def billing(station, tmp_path, monkeypatch):
    """Two rated hours, long ago."""
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    monkeypatch.setenv("BILLING_START", "2026-06-08T10:00:00Z")
    billing = RatedUsageRuns(station, folder=tmp_path)
    billing.add(event(), event(event_ts=TEN + HOUR, created_at=TEN + HOUR))
    billing.run(hours=2)
    return billing


def call(module, *arguments):
    return module.command.main([*arguments], standalone_mode=False, obj=Output(io.StringIO()))


@pytest.mark.usefixtures("billing")
def test_sealed_month_is_verified_with_its_head():
    planned = call(seal, *UNTIL, "--dry-run")
    assert planned.lines == ["2 hours would be sealed: 2026-06-08-10:00 to 2026-06-08-11:00"]
    sealed = call(seal, *UNTIL, "--by", "finance")
    assert (sealed.exit_code, [each["hour"] for each in sealed.printed["entries"]]) == (
        0,
        ["2026-06-08-10:00", "2026-06-08-11:00"],
    )
    assert sealed.lines[-1] == f"head: {sealed.printed['head']}"
    verified = call(verify, *WINDOW, "--head", sealed.printed["head"])
    assert (verified.exit_code, verified.printed["verified"], verified.printed["hours_sealed"]) == (0, True, 2)
    assert verified.lines[0] == "2 of 2 hours are what their events cost, 2 of all are sealed"
    again = call(seal, *UNTIL)
    assert again.lines == [
        "nothing to seal: all 2 hours before 2026-06-08T12:00:00Z that a run rated are sealed already"
    ]
    assert "2 of its 542 hours are sealed" in call(bill, "--auth", "a", "--month", "2026-06").lines


def test_station_without_rated_hours_has_nothing_to_seal(billing):
    billing.execute("TRUNCATE wxyc_assets.rated_hour")
    assert call(seal, *UNTIL).lines == ["nothing to seal: no run has rated an hour before 2026-06-08T12:00:00Z"]


@pytest.mark.usefixtures("billing")
def test_hours_with_the_same_problem_are_one_line():
    found = call(verify, "--since", "2026-06-08T10:00:00Z", "--until", "2026-06-09T10:00:00Z")
    assert found.exit_code == 2
    assert found.lines[0].startswith("WARN 2026-06-08-12:00 to 2026-06-09-09:00: never rated by this program")
    assert found.lines[1] == "2 of 24 hours are what their events cost, 0 of all are sealed"


def test_cut_off_end_of_the_chain_is_found_by_its_head(billing):
    head = call(seal, *UNTIL).printed["head"]
    billing.execute("DELETE FROM wxyc_assets.seal WHERE digest = %s", [head])
    assert call(verify, *WINDOW).exit_code == 0
    found = call(verify, *WINDOW, "--head", head)
    assert found.exit_code == 2
    assert "seals were removed or changed" in found.lines[0]


def test_difference_is_printed_first_and_exits_2(billing):
    call(seal, *UNTIL)
    billing.execute("UPDATE rated_usage SET cost = 7 WHERE window_start = %s", [TEN])
    found = call(verify, *WINDOW)
    assert (found.exit_code, [each["hour"] for each in found.printed["hours_different"]]) == (2, ["2026-06-08-10:00"])
    assert found.lines[0].startswith("FAIL 2026-06-08-10:00 (sealed): its 1 rows (7.000000000 USD) are not the 1")


def test_sealing_that_stops_says_why_and_keeps_the_rest(billing):
    stopped = call(seal, "--until", "2026-06-08T13:00:00Z")
    assert (stopped.exit_code, len(stopped.printed["entries"])) == (2, 2)
    assert "2026-06-08-12:00 was never rated" in stopped.printed["blocked"]
    assert stopped.lines[-1].startswith("WARN stopped: ")
    with pytest.raises(CannotError, match="was never rated"):
        call(seal, "--until", "2026-06-08T13:00:00Z")
    assert len(billing.query("SELECT * FROM wxyc_assets.seal")) == 2


def test_reopening_keeps_who_and_why(billing):
    call(seal, *UNTIL)
    assert call(seal, *REOPEN, "--dry-run").lines[0] == "would be opened: 2026-06-08-10:00"
    opened = call(seal, *REOPEN, "--by", "finance")
    assert opened.lines[0] == "opened: 2026-06-08-10:00"
    (last,) = billing.query("SELECT made_by, reason FROM wxyc_assets.seal WHERE kind = 'reopen'")
    assert last == {"made_by": "finance", "reason": "a credit"}
    with pytest.raises(CannotError, match="not sealed"):
        call(seal, *REOPEN)


@pytest.mark.usefixtures("billing")
@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--until", "2026-06-08T12:00:00Z", "--reopen"),
        ("--until", "2026-06-08T12:30:00Z"),
        ("--until", "noon"),
        ("--until", "2026-06-08T12:00:00Z", "--reason", "x"),
        ("--reopen", "--hour", "2026-06-08T10:00:00Z"),
        ("--reopen", "--hour", "2026-06-08T10:00:00Z", "--reason", " "),
        ("--reopen", "--reason", "x"),
        ("--reopen", "--hour", "noon", "--reason", "x"),
    ],
    ids=" ".join,
)
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises(click.UsageError):
        call(seal, *arguments)
