"""``wxyc rated`` and ``wxyc run rated_usage --late``: unbilled events are listed, billed and accepted."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from wxyc_assets.runs.partitions import hour_key

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
LATE = NOW - timedelta(hours=30)
LATER = NOW - timedelta(hours=40)
REASON = ("--reason", "a load test")


@pytest.fixture
def late_events(station):
    """Two hours outside the trailing ones have an event each that no run rated, and one event claims to be of 1970."""
    with station.connect() as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO billing_event (request_id, auth_id, resource_id, model, prompt_tokens, event_ts) "
            "VALUES (%s, 'a', 'r', 'bge-m3', 100, %s)",
            [("one", LATE), ("two", LATER), ("old", datetime(1970, 1, 1, tzinfo=UTC))],
        )


def billed(station):
    with station.connect() as connection:
        return [row[0] for row in connection.execute("SELECT window_start FROM rated_usage ORDER BY 1")]


def unbilled(wxyc, at_station):
    return [each["bucket"] for each in wxyc("rated", "unbilled", **at_station).printed["unbilled"]]


def test_late_hours_are_planned_and_then_billed_and_no_other(wxyc, at_station, station, late_events):
    assert unbilled(wxyc, at_station) == [hour_key(LATER), hour_key(LATE), "before"]
    plan = wxyc("run", "rated_usage", "--late", "--plan", **at_station)
    assert sorted(plan.printed["dry_run_report"]["hours"]) == [hour_key(LATER), hour_key(LATE)], plan.printed
    assert billed(station) == []
    done = wxyc("run", "rated_usage", "--late", **at_station)
    assert done.exit_code == 0, done.stderr
    assert billed(station) == [LATER, LATE]
    assert unbilled(wxyc, at_station) == ["before"]
    again = wxyc("run", "rated_usage", "--late", **at_station)
    assert (again.exit_code, billed(station)) == (0, [LATER, LATE])


def test_routine_run_exits_2_and_names_what_is_unbilled(wxyc, at_station, late_events):
    finished = wxyc("run", "rated_usage", **at_station)
    assert finished.exit_code == 2
    (check,) = (each for each in finished.printed["checks"] if each["name"] == "unrated_events")
    assert hour_key(LATE) in check["description"]
    assert "1 before the first hour" in check["description"]


def test_accepted_events_are_off_the_list_and_kept(wxyc, at_station, station, late_events):
    hour = LATE.isoformat()
    dry = wxyc("rated", "accept", "--hour", hour, "--dry-run", *REASON, **at_station)
    assert (dry.exit_code, dry.printed["accepted"]) == (0, False)
    assert len(unbilled(wxyc, at_station)) == 3
    accepted = wxyc("rated", "accept", "--hour", hour, *REASON, "--by", "finance", **at_station)
    assert accepted.exit_code == 0, accepted.stderr
    assert unbilled(wxyc, at_station) == [hour_key(LATER), "before"]
    assert wxyc("rated", "accept", "--misdated", *REASON, **at_station).exit_code == 0
    assert wxyc("rated", "accept", "--until", hour, *REASON, **at_station).exit_code == 0
    assert unbilled(wxyc, at_station) == []
    with station.connect() as connection:
        kept = connection.execute("SELECT bucket, accepted_by, reason FROM wxyc_assets.accepted_usage").fetchall()
    assert (hour_key(LATE), "finance", "a load test") in kept
    assert len(kept) == 3
    assert billed(station) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*REASON], "--hour, --until or --misdated"),
        (["--misdated", "--reason", "  "], "--reason is empty"),
        (["--hour", "noon", *REASON], "noon"),
        (["--until", "2026-06-08T10:30:00Z", *REASON], "whole UTC hour"),
        (["--hour", "2026-06-08T10:00:00Z", *REASON], "no unbilled usage"),
    ],
)
def test_nothing_to_accept_is_an_error_that_says_why(wxyc, at_station, arguments, says):
    finished = wxyc("rated", "accept", *arguments, **at_station)
    assert finished.exit_code == 1
    assert says in finished.printed["error"]


def test_late_takes_no_window(wxyc, at_station):
    finished = wxyc("run", "rated_usage", "--late", "--since", LATE.isoformat(), **at_station)
    assert finished.exit_code == 1
    assert "--since" in finished.printed["error"]


def test_used_price_files_are_listed_and_rate_again(wxyc, at_station, station, late_events):
    wxyc("run", "rated_usage", "--late", **at_station)
    (book,) = wxyc("prices", "list", **at_station).printed["price_books"]
    assert book["hours"] == 2
    content = Path(at_station["PRICE_FILE"]).read_bytes()
    assert wxyc("prices", "show", book["digest"][:8], **at_station).printed["content"].encode() == content
    window = ("--since", LATE.isoformat(), "--until", (LATE + timedelta(hours=1)).isoformat())
    again = wxyc("run", "rated_usage", *window, "--prices", book["digest"][:8], **{**at_station, "PRICE_FILE": None})
    assert again.exit_code == 0, again.stderr
    unknown = wxyc("run", "rated_usage", *window, "--prices", "0000", **at_station)
    assert unknown.exit_code == 1
    assert "wxyc prices list" in unknown.printed["error"]
    alone = wxyc("run", "rated_usage", "--prices", book["digest"], **at_station)
    assert (alone.exit_code, "--since" in alone.printed["error"]) == (1, True)


def test_old_bills_that_changed_are_named_until_they_are_pushed(wxyc, at_station, late_events):
    done = wxyc("run", "rated_usage", "--late", **at_station)
    hour = timedelta(hours=1)
    windows = [{"since": start.isoformat(), "until": (start + hour).isoformat()} for start in (LATER, LATE)]
    assert done.printed["push_needed"] == windows
    assert "push_needed" in done.stderr
    assert wxyc("status", **at_station).printed["push_needed"] == windows
    pushed = wxyc("rated", "pushed", "--since", windows[0]["since"], "--until", windows[0]["until"], **at_station)
    assert (pushed.exit_code, pushed.printed["push_needed"]) == (0, windows[1:])
    again = wxyc("rated", "pushed", "--since", windows[0]["since"], "--until", windows[0]["until"], **at_station)
    assert (again.exit_code, "wxyc status" in again.printed["error"]) == (1, True)
    assert wxyc("status", **at_station).printed["push_needed"] == windows[1:]


def test_unchanged_and_recent_bills_need_no_push(wxyc, at_station, station, late_events):
    wxyc("run", "rated_usage", "--late", **at_station)
    with station.connect() as connection:
        connection.execute("DELETE FROM wxyc_assets.unpushed_hour")
        connection.execute(
            "INSERT INTO billing_event (request_id, auth_id, resource_id, model, prompt_tokens, event_ts) "
            "VALUES ('recent', 'a', 'r', 'bge-m3', 100, %s)",
            [NOW - timedelta(hours=3)],
        )
    recent = wxyc("run", "rated_usage", **at_station)
    window = ("--since", LATE.isoformat(), "--until", (LATE + timedelta(hours=1)).isoformat())
    same = wxyc("run", "rated_usage", *window, **at_station)
    assert "push_needed" not in recent.printed
    assert "push_needed" not in same.printed


def test_hour_without_unbilled_usage_is_refused_by_name(wxyc, at_station, station, late_events):
    """Beside one that has some: neither is accepted."""
    other = (LATE - timedelta(hours=5)).isoformat()
    finished = wxyc("rated", "accept", "--hour", LATE.isoformat(), "--hour", other, *REASON, **at_station)
    assert finished.exit_code == 1
    assert hour_key(LATE - timedelta(hours=5)) in finished.printed["error"]
    with station.connect() as connection:
        assert connection.execute("SELECT count(*) FROM wxyc_assets.accepted_usage").fetchone() == (0,)


def test_late_without_an_hour_to_rate_prints_what_every_run_prints(wxyc, at_station, station, late_events):
    """And does not say that all is billed while events with an impossible time are not."""
    wxyc("run", "rated_usage", "--late", **at_station)
    again = wxyc("run", "rated_usage", "--late", **at_station)
    assert (again.exit_code, again.printed["run_ids"], again.printed["checks"]) == (0, [], [])
    assert "1 before the first hour" in again.stderr
    assert wxyc("rated", "accept", "--misdated", *REASON, **at_station).exit_code == 0
    assert "billed or accepted" in wxyc("run", "rated_usage", "--late", **at_station).stderr
