"""What the command line reads of the outbox, and how it closes alerts."""

from datetime import UTC, datetime, timedelta

import pytest

from resources.redaction import Redactor
from wxyc_assets.monitoring.alerts import outbox
from wxyc_assets.monitoring.alerts.queries import (
    HEARTBEAT_TIMEOUT_S,
    SensorHeartbeat,
    close_alerts,
    select_alerts,
    select_heartbeat,
)
from wxyc_assets.monitoring.alerts.rules import Alert

AT = datetime(2026, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def session(station):
    with station.connect() as connection:
        yield connection


def raises(session, source, *, level="error", at=AT, **fields):
    usual = {"asset": "album_metadata", "kind": "check", "partitions": frozenset({"3"})}
    alert = Alert(source=source, level=level, message="no", **{**usual, **fields})
    outbox.raise_alert(session, alert, outbox.RunRef("run", at, 1), redact=Redactor().plain)


def sources(session, *closed_within):
    return [alert.source for alert in select_alerts(session, *closed_within)]


def test_the_most_severe_and_then_the_oldest_alert_is_first(session):
    raises(session, "warning", level="warning")
    raises(session, "newer", at=AT + timedelta(minutes=1))
    raises(session, "older")
    assert sources(session) == ["older", "newer", "warning"]


def test_closed_alerts_are_listed_last_and_only_on_request(session):
    raises(session, "closed")
    (alert,) = select_alerts(session)
    assert close_alerts(session, [alert.alert_id]) == {alert.alert_id}
    raises(session, "open", level="warning")
    assert sources(session) == ["open"]
    assert sources(session, timedelta(days=1)) == ["open", "closed"]


def test_an_alert_closes_together_with_its_parts(session):
    raises(session, "step", kind="run", error_class="TimeoutError")
    raises(session, "part", kind="unevaluated", part_of="album_metadata/step/TimeoutError")
    whole, part = select_alerts(session)
    assert close_alerts(session, [whole.alert_id]) == {whole.alert_id, part.alert_id}


def test_an_alert_names_its_section_of_the_runbook(session):
    raises(session, "answers_trusted")
    raises(session, "step", kind="run")
    assert [alert.story().runbook for alert in select_alerts(session)] == [
        "docs/operations.md#answers_trusted",
        "docs/operations.md#failed_run",
    ]


def test_a_sensor_that_never_ticked_is_not_alive(session):
    assert select_heartbeat(session) == SensorHeartbeat(None, None, None)
    assert not select_heartbeat(session).is_alive


def test_the_heartbeat_has_the_problem_of_the_last_tick(session):
    outbox.execute(session, "update_heartbeat", problem="Sentry answered 503")
    heartbeat = select_heartbeat(session)
    assert (heartbeat.is_alive, heartbeat.problem) == (True, "Sentry answered 503")
    outbox.execute(session, "update_heartbeat", problem="")
    assert select_heartbeat(session).problem is None


@pytest.mark.parametrize(("age_s", "is_alive"), [(HEARTBEAT_TIMEOUT_S - 1, True), (HEARTBEAT_TIMEOUT_S, False)])
def test_a_sensor_is_alive_for_five_minutes_after_a_tick(age_s, is_alive):
    assert SensorHeartbeat(AT, age_s, None).is_alive is is_alive


def test_parts_of_parts_are_delivered_and_closed_with_their_cause(session):
    """LML is down: the failed run is part of that, and the checks that it could not evaluate are part of the run."""
    whole = frozenset({""})
    cause = Alert("LML", "cause", "lml_down", "error", "no", whole)
    failed = Alert("album_metadata", "run", "a_step", "error", "no", whole, part_of=cause.fingerprint)
    check = Alert("album_metadata", "unevaluated", "a_check", "error", "no", whole, part_of=failed.fingerprint)
    for alert in (cause, failed, check):
        outbox.raise_alert(session, alert, outbox.RunRef("run", AT, 1), redact=Redactor().plain)
    session.execute("UPDATE wxyc_assets.alert SET delivered_at = now() WHERE kind = 'cause'")
    found = select_alerts(session)
    assert all(alert.delivered_at for alert in found)
    (head,) = [alert.alert_id for alert in found if alert.kind == "cause"]
    assert close_alerts(session, [head]) == {alert.alert_id for alert in found}
