"""What a Sentry on loopback receives: each alert once, even if it was down, refused the alert, or several processes deliver."""

import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from resources.redaction import Redactor
from resources.sentry import SentryConfig
from resources.sentry_sender import SentrySender
from tests.sentry_server import free_port, sentry_server
from wxyc_assets.monitoring.alerts import outbox
from wxyc_assets.monitoring.alerts.delivery import deliver
from wxyc_assets.monitoring.alerts.queries import close_alerts, select_alerts
from wxyc_assets.monitoring.alerts.rules import Alert, Recovery

AT = datetime.now(UTC) - timedelta(hours=1)


class Deliveries:
    """An outbox, and the Sentry that its alerts are delivered to."""

    def __init__(self, station, sentry):
        self.station, self.sentry = station, sentry

    def raises(self, source="a_check", *, at=AT, **fields):
        usual = {"asset": "album_metadata", "kind": "check", "level": "error", "partitions": frozenset({"3"})}
        message = f"album_metadata: check {source} failed"
        alert = Alert(source=source, message=message, **{**usual, **fields})
        with self.station.connect() as connection:
            outbox.raise_alert(connection, alert, outbox.RunRef("run", at, 1), redact=Redactor().plain)
        return alert.fingerprint

    def recovers(self, source="a_check", kind="check"):
        with self.station.connect() as connection:
            recovery = Recovery("album_metadata", kind, source, frozenset({"3"}))
            outbox.recover(connection, recovery, outbox.RunRef("good", AT + timedelta(minutes=5), 2))

    def deliver(self, sender=None):
        with self.station.connect() as connection, closing(SentrySender(SentryConfig(self.sentry.dsn))) as own:
            return deliver(connection, sender or own)

    def execute(self, statement):
        with self.station.connect() as connection:
            return connection.execute(statement)

    def retry_now(self):
        """Make alerts due that wait for a retry."""
        self.execute("UPDATE wxyc_assets.alert SET retry_at = now() WHERE retry_at IS NOT NULL")

    def delays_retry_by(self, seconds):
        """Deliver, and return whether the alert's retry is due that many seconds later, by the clock of the database."""
        ((before,),) = self.execute("SELECT clock_timestamp()").fetchall()
        self.deliver()
        ((retry_at, after),) = self.execute("SELECT retry_at, clock_timestamp() FROM wxyc_assets.alert").fetchall()
        return before <= retry_at - timedelta(seconds=seconds) <= after

    @property
    def sent(self):
        return [(event["tags"]["source"], event["tags"]["alert"], event["level"]) for event in self.sentry.events]


@pytest.fixture
def sentry():
    with sentry_server() as server:
        yield server


@pytest.fixture
def deliveries(station, sentry):
    return Deliveries(station, sentry)


def test_an_alert_is_sent_once_with_its_details(deliveries, sentry):
    fingerprint = deliveries.raises(details={"numbers": {"rows": 3}})
    assert [deliveries.deliver(), deliveries.deliver()] == [(1, ""), (0, "")]
    (event,) = sentry.events
    assert event["fingerprint"] == ["wxyc_assets", *fingerprint.split("/")]
    assert event["message"]["formatted"].splitlines()[0] == "album_metadata: check a_check failed"
    assert (event["extra"]["numbers"], event["extra"]["partitions"], event["extra"]["run_id"]) == (
        {"rows": 3},
        ["3"],
        "run",
    )
    assert event["extra"]["runbook"] == "docs/operations.md#a_check"
    assert event["tags"] == {
        "repo": "wxyc_assets", "tool": "album-level-backfill", "run_id": "run",
        "asset": "album_metadata", "source": "a_check", "kind": "check", "alert": "raised",
    }  # fmt: skip


def test_another_occurrence_of_an_open_alert_is_not_sent(deliveries):
    deliveries.raises()
    deliveries.deliver()
    deliveries.raises()
    assert (deliveries.deliver(), deliveries.sent) == ((0, ""), [("a_check", "raised", "error")])


def test_a_recovery_is_sent_once(deliveries):
    deliveries.raises()
    deliveries.deliver()
    deliveries.recovers()
    assert [deliveries.deliver(), deliveries.deliver()] == [(1, ""), (0, "")]
    assert deliveries.sent == [("a_check", "raised", "error"), ("a_check", "recovered", "info")]
    assert deliveries.sentry.events[1]["message"]["formatted"] == "recovered: album_metadata: check a_check failed"
    assert deliveries.sentry.events[0]["fingerprint"] == deliveries.sentry.events[1]["fingerprint"]


def test_an_alert_that_recovered_undelivered_is_sent_twice(deliveries):
    deliveries.raises()
    deliveries.recovers()
    assert deliveries.deliver() == (2, "")
    assert [news for _, news, _ in deliveries.sent] == ["raised", "recovered"]


def test_an_alert_that_closed_a_week_ago_is_not_sent(deliveries):
    deliveries.raises()
    deliveries.recovers()
    deliveries.execute("UPDATE wxyc_assets.alert SET closed_at = now() - interval '8 days'")
    assert deliveries.deliver() == (0, "")


def test_an_alert_closed_by_hand_is_sent_as_such(deliveries, station):
    deliveries.raises()
    deliveries.deliver()
    with station.connect() as connection:
        (alert,) = select_alerts(connection)
        assert close_alerts(connection, [alert.alert_id]) == {alert.alert_id}
        assert close_alerts(connection, [alert.alert_id]) == set()
    deliveries.deliver()
    assert deliveries.sentry.events[1]["message"]["formatted"].startswith("closed by hand: ")


def test_a_refused_delivery_is_repeated_until_it_is_accepted(deliveries, sentry):
    deliveries.raises()
    sentry.refuse(503, 503)
    assert deliveries.deliver() == (0, "Sentry answered 503")
    assert deliveries.deliver() == (0, "")  # the retry is due in half a minute
    assert sentry.tries == 1
    for _ in range(4):
        deliveries.retry_now()
        deliveries.deliver()
    assert (sentry.tries, deliveries.sent) == (3, [("a_check", "raised", "error")])


def test_a_sentry_that_is_down_is_tried_once_a_delivery(station):
    """Once it is up, it receives all of them."""
    port = free_port()
    deliveries = Deliveries(station, type("Down", (), {"dsn": f"http://a-public-key@127.0.0.1:{port}/42"}))
    for source in ("one", "two", "three"):
        deliveries.raises(source)
    delivered, problem = deliveries.deliver()
    assert (delivered, problem.startswith("Sentry cannot be reached")) == (0, True)
    with station.connect() as connection:
        assert [alert.attempts for alert in select_alerts(connection)] == [1, 0, 0]
    with sentry_server(port) as deliveries.sentry:
        deliveries.retry_now()
        assert deliveries.deliver() == (3, "")
        assert [source for source, _, _ in deliveries.sent] == ["one", "two", "three"]
    with station.connect() as connection:
        assert {(alert.attempts, alert.delivery_problem) for alert in select_alerts(connection)} == {(0, None)}


def test_a_rejected_alert_does_not_hold_up_the_others(deliveries, sentry):
    deliveries.raises("too_large")
    deliveries.raises("fine")
    sentry.refuse(413)
    assert deliveries.deliver() == (1, "")
    assert deliveries.sent == [("fine", "raised", "error")]


@pytest.mark.parametrize(
    ("asked", "seconds"), [({"Retry_After": "120"}, 120), ({}, 30), ({"Retry_After": "86400"}, 900)]
)
def test_a_retry_waits_as_long_as_sentry_asks_within_limits(deliveries, sentry, asked, seconds):
    deliveries.raises()
    sentry.refuse(429, **asked)
    assert deliveries.delays_retry_by(seconds)


def test_retries_back_off_exponentially_up_to_15_minutes(deliveries, sentry):
    deliveries.raises()
    for seconds in (30, 60, 120, 240, 480, 900, 900):
        sentry.refuse(500)
        deliveries.retry_now()
        assert deliveries.delays_retry_by(seconds)


def test_concurrent_deliveries_send_each_alert_once(deliveries, sentry):
    for number in range(12):
        deliveries.raises(f"check_{number}")
    sentry.delay_s = 0.05  # so that the threads reach the same row
    threads = [threading.Thread(target=deliveries.deliver) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliveries.deliver()
    assert sorted(source for source, _, _ in deliveries.sent) == sorted(f"check_{number}" for number in range(12))
    assert sentry.tries == 12


def test_a_delivery_killed_before_its_mark_repeats_the_event_id(deliveries, sentry):
    """Sentry stores one event of an id."""
    deliveries.raises()

    class Killed:
        address = "a Sentry"

        def send(self, event):
            with closing(SentrySender(SentryConfig(sentry.dsn))) as sender:
                sender.send(event)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deliveries.deliver(Killed())
    assert deliveries.deliver() == (1, "")
    assert len({event["event_id"] for event in sentry.events}) == 1


def test_the_event_of_an_alert_names_its_parts(deliveries, sentry):
    run = deliveries.raises("step", kind="run", error_class="TimeoutError")
    deliveries.raises("one", kind="unevaluated", error_class="TimeoutError", part_of=run)
    deliveries.raises("two", kind="unevaluated", error_class="TimeoutError", part_of=run)
    assert deliveries.deliver() == (1, "")
    (event,) = sentry.events
    assert event["exception"]["values"][0]["type"] == "TimeoutError"
    assert event["extra"]["also"] == [f"album_metadata: check {name} failed" for name in ("one", "two")]


def test_an_event_names_20_partitions_and_counts_the_others(deliveries, sentry):
    deliveries.raises(partitions=frozenset(f"2026-03-04-{hour:02}:00" for hour in range(24)))
    deliveries.deliver()
    partitions = sentry.events[0]["extra"]["partitions"]
    assert (len(partitions), partitions[-1]) == (21, "and 4 more")


def test_an_alert_that_worsens_is_sent_again(deliveries):
    deliveries.raises(level="warning")
    deliveries.deliver()
    deliveries.raises(level="error")
    assert [deliveries.deliver(), deliveries.deliver()] == [(1, ""), (0, "")]
    assert deliveries.sent == [("a_check", "raised", "warning"), ("a_check", "raised", "error")]
    assert len({event["event_id"] for event in deliveries.sentry.events}) == 2
    deliveries.raises(level="warning")
    assert deliveries.deliver() == (0, "")


def test_the_event_id_stays_when_the_alert_changes(deliveries, sentry):
    """Sentry has the event, and the delivery is killed; meanwhile an older run raises the alert too, and it recovers."""
    deliveries.raises()
    deliveries.deliver()
    deliveries.execute("UPDATE wxyc_assets.alert SET delivered_at = NULL, delivered_severity = NULL")
    deliveries.raises(at=AT - timedelta(hours=1), details={"more": 1})
    deliveries.recovers()
    assert deliveries.deliver() == (2, "")
    first, again, recovery = (event["event_id"] for event in sentry.events)
    assert first == again != recovery


def test_a_retry_after_holds_back_every_alert_of_that_sentry(deliveries, sentry):
    deliveries.raises("one")
    sentry.refuse(429, Retry_After="120")
    assert deliveries.deliver() == (0, "Sentry answered 429")
    deliveries.raises("two")
    deliveries.retry_now()
    delivered, problem = deliveries.deliver()
    assert (delivered, sentry.tries) == (0, 1)
    assert problem.startswith("Sentry asks to receive nothing for another ")
    with sentry_server() as deliveries.sentry:  # another Sentry asked for nothing
        assert deliveries.deliver() == (2, "")


@pytest.mark.parametrize(
    "text", ["inf", "-inf", "nan", "1e999", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT", "soon", "-7"]
)
def test_any_retry_after_is_bounded(deliveries, sentry, text):
    deliveries.raises()
    sentry.refuse(429, Retry_After=text)
    assert deliveries.deliver() == (0, "Sentry answered 429")
    ((waits,),) = deliveries.execute("SELECT retry_at - clock_timestamp() FROM wxyc_assets.alert").fetchall()
    assert waits <= timedelta(minutes=15)


def test_no_row_is_locked_while_sentry_is_waited_for(deliveries, station):
    """Meanwhile the alert recovers, and the recovery is sent afterwards."""
    deliveries.raises()

    class Slow:
        address = "a Sentry"

        def send(self, event):
            with station.connect() as other:
                other.execute("SET lock_timeout = '2s'")
                other.execute("UPDATE wxyc_assets.alert SET occurrences = occurrences + 1")
            if not event.message.startswith("recovered"):
                deliveries.recovers()

    assert deliveries.deliver(Slow()) == (2, "")


def test_an_alert_in_delivery_is_left_to_it(deliveries):
    deliveries.raises()

    class Another:
        address = "a Sentry"

        def send(self, _event):
            assert deliveries.deliver() == (0, "")

    assert deliveries.deliver(Another()) == (1, "")


def test_an_alert_of_a_killed_delivery_is_due_again(deliveries):
    deliveries.raises()
    deliveries.execute("UPDATE wxyc_assets.alert SET retry_at = clock_timestamp() + interval '30 seconds'")
    assert deliveries.deliver() == (0, "")
    deliveries.execute("UPDATE wxyc_assets.alert SET retry_at = clock_timestamp()")
    assert deliveries.deliver() == (1, "")


def test_an_event_tells_the_story_of_its_alert(deliveries, station, sentry):
    fingerprint = deliveries.raises("error_rate_healthy", partitions=frozenset("12345"))
    with station.connect() as connection, closing(SentrySender(SentryConfig(sentry.dsn))) as sender:
        assert deliver(connection, sender, ui_url="https://dagster.example/") == (1, "")
    assert fingerprint == "album_metadata/error_rate_healthy"
    (event,) = sentry.events
    assert event["message"]["formatted"].splitlines() == [
        "album_metadata: check error_rate_healthy failed",
        "about: shards 1, 2, 3 and 2 more",
        f"since: {AT:%Y-%m-%d %H:%M} UTC",
        "likely cause: LML fails for many inputs.",
        "next command: wxyc doctor",
        "runbook: `wxyc runbook error_rate_healthy`, docs/operations.md#error_rate_healthy",
        "run: https://dagster.example/runs/run",
    ]
