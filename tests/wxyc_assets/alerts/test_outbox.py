"""The outbox's rows: what an alert keeps, and which recovery is one."""

from datetime import UTC, datetime, timedelta

import pytest

from resources.redaction import Redactor
from wxyc_assets.alerts import outbox
from wxyc_assets.alerts.listing import listed
from wxyc_assets.alerts.rules import Alert, Recovery

AT = datetime(2026, 3, 4, 5, tzinfo=UTC)
ALERT = Alert("album_metadata", "check", "a_check", "error", "no", frozenset({"3", "4"}))


@pytest.fixture
def session(station):
    with station.connect() as connection:
        yield connection


def raises(session, alert=ALERT, at=AT):
    outbox.raise_alert(session, alert, run_id="run", at=at, redact=Redactor().plain)


def recovers(session, *partitions, at=AT + timedelta(minutes=1), **fields):
    usual = {"asset": "album_metadata", "kind": "check", "source": "a_check"}
    outbox.recover(session, Recovery(**{**usual, **fields}, partitions=frozenset(partitions)), at=at)


def to_recover(session):
    return [alert.partitions for alert in listed(session)]


def test_a_run_that_ended_before_the_failure_was_seen_is_no_recovery(session):
    raises(session, at=AT)
    recovers(session, "3", "4", at=AT - timedelta(seconds=1))
    assert to_recover(session) == [["3", "4"]]
    recovers(session, "3", "4", at=AT)
    assert to_recover(session) == []


def test_only_the_alerts_of_the_same_asset_kind_and_check_recover(session):
    raises(session)
    for fields in ({"asset": "library_identity"}, {"kind": "run"}, {"source": "another_check"}):
        recovers(session, "3", "4", **fields)
    assert to_recover(session) == [["3", "4"]]
    recovers(session, "3")
    assert to_recover(session) == [["4"]]


def test_whatever_its_step_a_failed_run_recovers_when_what_it_missed_was_done(session):
    for step in ("one", "two"):
        raises(session, Alert("album_metadata", "run", step, "error", "no", frozenset({"3"}), root="TimeoutError"))
    recovers(session, "3", kind="run", source=None)
    assert to_recover(session) == []


def test_an_alert_remembers_when_it_was_first_and_last_seen_in_whatever_order_runs_are_heard(session):
    for minutes in (5, 0, 3):
        raises(session, at=AT + timedelta(minutes=minutes))
    (alert,) = listed(session)
    assert (alert.first_seen_at, alert.last_seen_at, alert.occurrences) == (AT, AT + timedelta(minutes=5), 3)


def test_a_long_message_is_cut_and_kept(session):
    raises(session, Alert("album_metadata", "check", "a_check", "error", "x" * 9000, frozenset({"3"})))
    (alert,) = listed(session)
    assert len(alert.message) == outbox.MESSAGE_CHARACTERS
