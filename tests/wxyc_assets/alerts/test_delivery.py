"""What Sentry is told, by a Sentry on loopback: each alert once, also if it was refused, down, or told by many at once."""

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from resources.redaction import Redactor
from resources.sentry import SentryConfig
from resources.sentry_post import SentryPost
from tests.sentry_server import free_port, sentry_server
from wxyc_assets.alerts import outbox
from wxyc_assets.alerts.delivery import deliver
from wxyc_assets.alerts.listing import close, listed
from wxyc_assets.alerts.rules import Alert, Recovery

AT = datetime.now(UTC) - timedelta(hours=1)


class Desk:
    """An outbox, and a Sentry that is told of it."""

    def __init__(self, station, sentry):
        self.station, self.sentry = station, sentry

    def raises(self, source="a_check", *, at=AT, **fields):
        usual = {"asset": "album_metadata", "kind": "check", "level": "error", "partitions": frozenset({"3"})}
        message = f"album_metadata: check {source} failed"
        alert = Alert(source=source, message=message, **{**usual, **fields})
        with self.station.connect() as connection:
            outbox.raise_alert(connection, alert, run_id="run", at=at, redact=Redactor().plain)
        return alert.fingerprint

    def recovers(self, source="a_check", kind="check"):
        with self.station.connect() as connection:
            recovery = Recovery("album_metadata", kind, source, frozenset({"3"}))
            outbox.recover(connection, recovery, at=AT + timedelta(minutes=5))

    def deliver(self, post=None):
        with self.station.connect() as connection, closing(SentryPost(SentryConfig(self.sentry.dsn))) as own:
            return deliver(connection, post or own)

    def execute(self, statement):
        with self.station.connect() as connection:
            return connection.execute(statement)

    def impatient(self):
        """Let what waits for another try be tried now."""
        self.execute("UPDATE wxyc_assets.alert SET retry_at = now() WHERE retry_at IS NOT NULL")

    @property
    def told(self):
        return [(event["tags"]["source"], event["tags"]["alert"], event["level"]) for event in self.sentry.events]


@pytest.fixture
def sentry():
    with sentry_server() as server:
        yield server


@pytest.fixture
def desk(station, sentry):
    return Desk(station, sentry)


def test_an_alert_is_told_once_with_what_it_is_about(desk, sentry):
    fingerprint = desk.raises(details={"numbers": {"rows": 3}})
    assert [desk.deliver(), desk.deliver()] == [(1, ""), (0, "")]
    (event,) = sentry.events
    assert event["fingerprint"] == ["wxyc_assets", *fingerprint.split("/")]
    assert event["message"]["formatted"] == "album_metadata: check a_check failed"
    assert (event["extra"]["numbers"], event["extra"]["partitions"], event["extra"]["run_id"]) == (
        {"rows": 3},
        ["3"],
        "run",
    )
    assert event["tags"] == {"asset": "album_metadata", "source": "a_check", "kind": "check", "alert": "raised"}


def test_what_comes_again_while_it_is_open_is_not_told_again(desk):
    desk.raises()
    desk.deliver()
    desk.raises()
    assert (desk.deliver(), desk.told) == ((0, ""), [("a_check", "raised", "error")])


def test_a_recovery_is_told_once(desk):
    desk.raises()
    desk.deliver()
    desk.recovers()
    assert [desk.deliver(), desk.deliver()] == [(1, ""), (0, "")]
    assert desk.told == [("a_check", "raised", "error"), ("a_check", "recovered", "info")]
    assert desk.sentry.events[1]["message"]["formatted"] == "recovered: album_metadata: check a_check failed"
    assert desk.sentry.events[0]["fingerprint"] == desk.sentry.events[1]["fingerprint"]


def test_what_has_recovered_before_it_could_be_told_is_told_with_its_recovery(desk):
    desk.raises()
    desk.recovers()
    assert desk.deliver() == (2, "")
    assert [news for _, news, _ in desk.told] == ["raised", "recovered"]


def test_what_closed_a_week_ago_untold_is_no_news(desk):
    desk.raises()
    desk.recovers()
    desk.execute("UPDATE wxyc_assets.alert SET closed_at = now() - interval '8 days'")
    assert desk.deliver() == (0, "")


def test_what_a_person_closed_is_told_as_that(desk, station):
    desk.raises()
    desk.deliver()
    with station.connect() as connection:
        (alert,) = listed(connection)
        assert close(connection, [alert.alert_id]) == {alert.alert_id}
        assert close(connection, [alert.alert_id]) == set()
    desk.deliver()
    assert desk.sentry.events[1]["message"]["formatted"].startswith("closed by a person: ")


def test_a_refused_delivery_is_repeated_until_it_is_taken_and_then_never(desk, sentry):
    desk.raises()
    sentry.refuse(503, 503)
    assert desk.deliver() == (0, "Sentry answered 503")
    assert desk.deliver() == (0, "")  # it waits half a minute
    assert sentry.tries == 1
    for _ in range(4):
        desk.impatient()
        desk.deliver()
    assert (sentry.tries, desk.told) == (3, [("a_check", "raised", "error")])


def test_a_sentry_that_is_down_is_tried_with_one_alert_a_round_and_later_gets_all_of_them(station):
    port = free_port()
    desk = Desk(station, type("Down", (), {"dsn": f"http://a-public-key@127.0.0.1:{port}/42"}))
    for source in ("one", "two", "three"):
        desk.raises(source)
    told, problem = desk.deliver()
    assert (told, problem.startswith("Sentry cannot be reached")) == (0, True)
    with station.connect() as connection:
        assert [alert.attempts for alert in listed(connection)] == [1, 0, 0]
    with sentry_server(port) as desk.sentry:
        desk.impatient()
        assert desk.deliver() == (3, "")
        assert [source for source, _, _ in desk.told] == ["one", "two", "three"]
    with station.connect() as connection:
        assert {(alert.attempts, alert.delivery_problem) for alert in listed(connection)} == {(0, None)}


def test_an_alert_that_sentry_does_not_want_keeps_no_other_from_being_told(desk, sentry):
    desk.raises("too_large")
    desk.raises("fine")
    sentry.refuse(413)
    assert desk.deliver() == (1, "")
    assert desk.told == [("fine", "raised", "error")]


@pytest.mark.parametrize(
    ("asked", "seconds"), [({"Retry_After": "120"}, 120), ({}, 30), ({"Retry_After": "86400"}, 900)]
)
def test_sentry_is_left_alone_for_as_long_as_it_asks_within_reason(desk, sentry, asked, seconds):
    desk.raises()
    sentry.refuse(429, **asked)
    desk.deliver()
    ((wait_s,),) = desk.execute("SELECT extract(epoch FROM retry_at - now())::float8 FROM wxyc_assets.alert").fetchall()
    assert seconds - 5 < wait_s <= seconds


def test_tries_come_less_and_less_often(desk, sentry):
    desk.raises()
    waits = []
    for _ in range(7):
        sentry.refuse(500)
        desk.impatient()
        desk.deliver()
        ((wait_s,),) = desk.execute(
            "SELECT extract(epoch FROM retry_at - now())::float8 FROM wxyc_assets.alert"
        ).fetchall()
        waits.append(round(wait_s / 30))
    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_many_that_deliver_at_once_tell_each_alert_once(desk, sentry):
    for number in range(12):
        desk.raises(f"check_{number}")
    sentry.delay_s = 0.05  # so that they meet at the same row, if they can
    threads = [threading.Thread(target=desk.deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.deliver()
    assert sorted(source for source, _, _ in desk.told) == sorted(f"check_{number}" for number in range(12))
    assert sentry.tries == 12


def test_who_is_killed_between_sentry_and_the_row_has_it_told_again_under_the_same_id(desk, sentry):
    desk.raises()

    class Killed:
        def send(self, event):
            with closing(SentryPost(SentryConfig(sentry.dsn))) as post:
                post.send(event)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.deliver(Killed())
    assert desk.deliver() == (1, "")
    assert len({event["event_id"] for event in sentry.events}) == 1


def test_what_is_part_of_another_is_told_in_its_event(desk, sentry):
    run = desk.raises("step", kind="run", root="TimeoutError")
    desk.raises("one", kind="unevaluated", root="TimeoutError", part_of=run)
    desk.raises("two", kind="unevaluated", root="TimeoutError", part_of=run)
    assert desk.deliver() == (1, "")
    (event,) = sentry.events
    assert event["exception"]["values"][0]["type"] == "TimeoutError"
    assert event["extra"]["also"] == [f"album_metadata: check {name} failed" for name in ("one", "two")]


def test_an_alert_about_many_partitions_names_some_and_counts_the_others(desk, sentry):
    desk.raises(partitions=frozenset(f"2026-03-04-{hour:02}:00" for hour in range(24)))
    desk.deliver()
    partitions = sentry.events[0]["extra"]["partitions"]
    assert (len(partitions), partitions[-1]) == (21, "and 4 more")
