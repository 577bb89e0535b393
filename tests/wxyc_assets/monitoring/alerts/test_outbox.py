"""The rows of the outbox: what an alert stores, and which recovery closes it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from resources.redaction import Redactor
from wxyc_assets.monitoring.alerts import outbox
from wxyc_assets.monitoring.alerts.queries import select_alerts
from wxyc_assets.monitoring.alerts.rules import Alert, Recovery

AT = datetime(2026, 3, 4, 5, tzinfo=UTC)
ALERT = Alert("album_metadata", "check", "a_check", "error", "no", frozenset({"3", "4"}))


@pytest.fixture
def session(station):
    with station.connect() as connection:
        yield connection


def run_ref(at):
    """A run whose events are stored in the order of time."""
    return outbox.RunRef("run", at, int(at.timestamp()))


def raises(session, alert=ALERT, at=AT):
    outbox.raise_alert(session, alert, run_ref(at), redact=Redactor().plain)


def recovers(session, *partitions, at=AT + timedelta(minutes=1), **fields):
    usual = {"asset": "album_metadata", "kind": "check", "source": "a_check"}
    outbox.recover(session, Recovery(**{**usual, **fields}, partitions=frozenset(partitions)), run_ref(at))


def to_recover(session):
    return [alert.partitions for alert in select_alerts(session)]


def test_a_run_that_ended_before_the_failure_does_not_recover_it(session):
    raises(session, at=AT)
    recovers(session, "3", "4", at=AT - timedelta(seconds=1))
    assert to_recover(session) == [["3", "4"]]
    recovers(session, "3", "4", at=AT)
    assert to_recover(session) == []


def test_a_recovery_is_about_one_asset_kind_and_check(session):
    raises(session)
    for fields in ({"asset": "library_identity"}, {"kind": "run"}, {"source": "another_check"}):
        recovers(session, "3", "4", **fields)
    assert to_recover(session) == [["3", "4"]]
    recovers(session, "3")
    assert to_recover(session) == [["4"]]


def test_failed_runs_recover_whatever_step_failed(session):
    for step in ("one", "two"):
        raises(
            session, Alert("album_metadata", "run", step, "error", "no", frozenset({"3"}), error_class="TimeoutError")
        )
    recovers(session, "3", kind="run", source=None)
    assert to_recover(session) == []


def test_first_and_last_occurrence_do_not_depend_on_the_order(session):
    """Runs are not ingested in the order of their ends."""
    for minutes in (5, 0, 3):
        raises(session, at=AT + timedelta(minutes=minutes))
    (alert,) = select_alerts(session)
    assert (alert.first_seen_at, alert.last_seen_at, alert.occurrences) == (AT, AT + timedelta(minutes=5), 3)


def test_a_long_message_is_truncated(session):
    raises(session, Alert("album_metadata", "check", "a_check", "error", "x" * 9000, frozenset({"3"})))
    (alert,) = select_alerts(session)
    assert len(alert.message) == outbox.MESSAGE_CHARACTERS


CAUSE = Alert("LML", "cause", "lml_down", "error", "LML does not answer", frozenset({""}))


def part(details=None):
    return Alert(
        "album_metadata", "run", "album_metadata", "error", "it failed", frozenset({"3"}), error_class="Failure",
        part_of=CAUSE.fingerprint, details=details or {},
    )  # fmt: skip


def part_row(session):
    query = "SELECT part_of IS NOT NULL, closed_at IS NOT NULL, retry_at FROM wxyc_assets.alert WHERE kind = 'run'"
    ((is_part, is_closed, retry_at),) = session.execute(query).fetchall()
    return is_part, is_closed, retry_at


def ends_cause(session):
    recovers(session, "", asset="LML", kind="cause", source="lml_down")
    outbox.free_parts(session)


def test_a_part_stands_on_its_own_when_its_cause_has_ended(session):
    raises(session, CAUSE)
    raises(session, part())
    outbox.free_parts(session)
    assert part_row(session) == (True, False, None)
    ends_cause(session)
    assert part_row(session) == (False, False, None)


def test_a_part_that_a_sensor_repeats_is_sent_later_than_the_try(session):
    raises(session, CAUSE)
    raises(session, part({"next_try_at": "2026-03-04T05:10:00+00:00"}))
    ends_cause(session)
    assert part_row(session) == (False, False, datetime(2026, 3, 4, 5, 25, tzinfo=UTC))


def test_a_part_that_fails_for_another_reason_stands_on_its_own(session):
    raises(session, CAUSE)
    raises(session, part())
    raises(session, replace(part(), part_of=None))
    assert part_row(session)[0] is False
    raises(session, part())
    assert part_row(session)[0] is False


def test_an_alert_keeps_what_its_latest_run_said(session):
    raises(session)
    raises(session, replace(ALERT, message="older", details={"numbers": {"rows": 1}}), at=AT - timedelta(hours=1))
    (alert,) = select_alerts(session)
    assert (alert.message, alert.numbers) == ("no", {})
