"""One tick, as the sensor and the command line run it."""

from dataclasses import replace

import pytest

from resources.redaction import Redactor
from resources.sentry_sender import SentrySendError
from tests.wxyc_assets.monitoring.alerts.scripted_asset import made_up
from wxyc_assets.database.sessions import Sessions
from wxyc_assets.monitoring.alerts.event_log import scopes_of
from wxyc_assets.monitoring.alerts.queries import select_heartbeat
from wxyc_assets.monitoring.alerts.tick import TickContext, TickResult, run_tick
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings, RatingSettings

CONTEXT = TickContext(
    scopes_of([made_up]), IdentitySettings(), FlowsheetSettings(), RatingSettings(), Redactor().plain, sender=None
)


class Sender:
    """Stores the events that it is given, or refuses them all."""

    address = "a Sentry"

    def __init__(self, problem=""):
        self.problem, self.events, self.check_ins = problem, [], []

    def send(self, event):
        if self.problem:
            raise SentrySendError(self.problem)
        self.events.append(event)

    def check_in(self, monitor, schedule, *, margin_minutes):
        if self.problem:
            raise SentrySendError(self.problem)
        self.check_ins.append((monitor, schedule, margin_minutes))


@pytest.fixture
def tick(runs):
    """Runs a tick and returns its result, and whether it left a heartbeat."""

    def run(context=CONTEXT):
        with runs.postgres.connect() as connection:
            return run_tick(context, runs.instance, Sessions(connection, connection)), select_heartbeat(
                connection
            ).is_alive

    return run


def test_a_tick_stores_and_sends_what_a_run_failed(runs, tick):
    runs.run(fails=["of_shards"])
    sender = Sender()
    assert tick(replace(CONTEXT, sender=sender)) == (TickResult(1, 1, ""), False)
    assert list(runs.alerts()) == ["made_up/of_shards"]
    assert [event.message.splitlines()[0] for event in sender.events] == ["made_up: check of_shards failed: rows 3"]


def test_without_sentry_a_tick_stores_alerts_and_sends_none(runs, tick):
    runs.run(fails=["of_shards"])
    assert tick() == (TickResult(1, 0, ""), False)
    assert list(runs.alerts()) == ["made_up/of_shards"]
    assert tick(replace(CONTEXT, sender=Sender()))[0] == TickResult(0, 1, "")


def test_only_the_tick_of_the_sensor_leaves_a_heartbeat(tick):
    assert [tick()[1], tick(replace(CONTEXT, is_sensor=True))[1]] == [False, True]


def test_a_problem_with_sentry_is_in_the_result(runs, tick):
    runs.run(fails=["of_shards"])
    result, _ = tick(replace(CONTEXT, sender=Sender("Sentry answered 503")))
    assert str(result) == "ingested 1 runs, sent 0 events to Sentry; Sentry answered 503"


def test_the_sensor_checks_in_once_a_minute_at_most(runs, tick):
    sender = Sender()
    for is_sensor in (False, True, True):
        tick(replace(CONTEXT, sender=sender, is_sensor=is_sensor))
    runs.rows("UPDATE wxyc_assets.alert_watch SET checked_in_at = checked_in_at - interval '1 minute' RETURNING 1")
    tick(replace(CONTEXT, sender=sender, is_sensor=True))
    assert sender.check_ins == [("wxyc-assets-alerts", {"type": "interval", "value": 1, "unit": "minute"}, 5)] * 2


def test_a_failed_check_in_is_the_problem_of_the_tick(tick):
    result, alive = tick(replace(CONTEXT, sender=Sender("Sentry answered 503"), is_sensor=True))
    assert (result.problem, alive) == ("the check-in at Sentry's cron monitor: Sentry answered 503", True)


def test_a_station_that_cannot_be_read_stops_no_other_alert(runs, tick):
    runs.run(fails=["of_shards"])
    with runs.postgres.connect() as connection:
        connection.execute("ALTER TABLE flowsheet RENAME TO gone")
    sender = Sender()
    result, alive = tick(replace(CONTEXT, sender=sender, is_sensor=True))
    assert (result.runs, result.events, alive) == (1, 1, True)
    assert result.problem.startswith("which partitions are late is unknown: ")
    assert sender.check_ins
