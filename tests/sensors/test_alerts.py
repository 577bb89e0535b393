"""The sensor alerts: single ticks, and the whole way from a run of the daemon to Sentry."""

import os
import re
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from resources.sentry import SentryConfig
from resources.sentry_sender import SentrySender
from sensors.alerts import alerts
from tests.sensors.daemon_control import running_daemon, switch_on, wait_until_equal
from tests.sentry_server import free_port, sentry_server
from wxyc_assets.cli.instance import STORAGE_VARIABLE, prepare_instance
from wxyc_assets.database.migrate import migrate
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.definitions import build_defs
from wxyc_assets.monitoring.alerts.queries import select_alerts, select_heartbeat
from wxyc_assets.runs.partitions import range_tags
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.faults import Fault
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings, RatingSettings, UiSettings

DEFS = build_defs()


@pytest.fixture
def sentry():
    with sentry_server() as server:
        yield server


class SensorTicks:
    """Runs ticks of the sensor, with a Sentry; the cursor goes from tick to tick."""

    def __init__(self, instance, station, sentry):
        self.instance, self.station, self.sentry, self.cursor = instance, station, sentry, None

    def __call__(self):
        with closing(SentrySender(SentryConfig(self.sentry.dsn))) as sender:
            context = dg.build_sensor_context(
                instance=self.instance,
                cursor=self.cursor,
                definitions=DEFS,
                resources={
                    "postgres": self.station,
                    "billing_postgres": self.station,
                    "console": RunConsole(),
                    "sentry_sender": sender,
                    "identity_settings": IdentitySettings(),
                    "flowsheet_settings": FlowsheetSettings(),
                    "rating_settings": RatingSettings(),
                    "ui_settings": UiSettings(),
                },
            )
            result: Any = alerts(context)
        self.cursor = result.cursor or self.cursor
        return result.skip_reason.skip_message


@pytest.fixture
def tick(instance, station, sentry):
    return SensorTicks(instance, station, sentry)


def test_the_sensor_runs_without_being_switched_on():
    assert alerts.default_status is dg.DefaultSensorStatus.RUNNING


def test_a_tick_reports_its_counts_and_records_its_heartbeat(tick, station):
    with station.connect() as connection:
        assert not select_heartbeat(connection).is_alive
    assert tick() == "ingested 0 runs, sent 0 events to Sentry"
    with station.connect() as connection:
        assert select_heartbeat(connection).is_alive


def test_a_late_shard_is_sent_once_and_so_is_its_recovery(tick, station, sentry):
    with station.connect() as connection:
        connection.execute(
            "INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run) "
            "VALUES ('album_metadata', '3', now() - interval '27 hours', 'run')"
        )
    assert [tick(), tick()] == ["ingested 0 runs, sent 1 events to Sentry", "ingested 0 runs, sent 0 events to Sentry"]
    with station.connect() as connection:
        connection.execute("UPDATE wxyc_assets.partition_state SET credited_at = now()")
    assert tick() == "ingested 0 runs, sent 1 events to Sentry"
    assert [event["level"] for event in sentry.events] == ["warning", "info"]
    assert "album_metadata: shards 3 should have been done again" in sentry.events[0]["message"]["formatted"]


def test_a_refusal_by_sentry_is_reported_and_retried(tick, station, sentry):
    with station.connect() as connection:
        connection.execute(
            "INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run) "
            "VALUES ('album_metadata', '3', now() - interval '27 hours', 'run')"
        )
    sentry.refuse(503)
    assert tick() == "ingested 0 runs, sent 0 events to Sentry; Sentry answered 503"
    with station.connect() as connection:
        assert select_heartbeat(connection).problem == "Sentry answered 503"
        connection.execute("UPDATE wxyc_assets.alert SET retry_at = now()")
    assert tick() == "ingested 0 runs, sent 1 events to Sentry"


def test_an_unreachable_database_is_sent_once_an_hour(tick, sentry):
    tick.station = replace(tick.station, dsn=f"postgresql://no_role@127.0.0.1:{free_port()}/gone", connect_timeout_s=2)
    sentry.refuse(500)
    assert "no alert is stored" in tick()
    assert sentry.events == []
    assert [("no alert is stored" in tick()) for _ in range(3)] == [True, True, True]
    (event,) = sentry.events
    assert event["fingerprint"] == ["wxyc_assets", "outbox", "database_unreachable"]
    assert event["extra"]["runbook"] == "docs/operations.md#database_unreachable"
    assert {name: event["tags"][name] for name in ("repo", "tool", "run_id")} == {
        "repo": "wxyc_assets",
        "tool": "alerts",
        "run_id": "none",
    }


def test_a_station_without_our_schema_says_what_to_do(tick, station):
    migrate(station, "base")
    with pytest.raises(MigrationError, match="run `wxyc migrate`"):
        tick()


# The whole way


@pytest.fixture
def environ(station, server, tmp_path, monkeypatch, sentry):
    """The environment, of this process too, for a station with 40 libraries without identity, an LML, and a Sentry."""
    with station.connect() as connection:
        generate_libraries(connection, 40, first_id=1)
    dagster = server.create_database()
    with SandboxLml() as lml:
        settings = {
            "WXYC_HOME": str(tmp_path),
            "DATABASE_URL": station.dsn,
            "DAGSTER_DATABASE_URL": dagster,
            "LIBRARY_METADATA_URL": lml.url,
            "LML_API_KEY": "sandbox-key",
            "SENTRY_DSN": sentry.dsn,
            "PYTHONWARNINGS": "ignore",
            **dict.fromkeys(("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", STORAGE_VARIABLE), ""),
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        prepare_instance()
        yield dict(os.environ), lml
    server.drop_database(dagster)


@pytest.mark.timeout(900)  # a daemon and its runs must start, which takes long on a busy machine
def test_a_failed_check_reaches_sentry_once_after_refusals(environ, station, sentry, tmp_path):
    """A run of the daemon fails two checks, and Sentry refuses twice; a later run recovers both.

    No row is backdated: a library that is due for more than an hour in a shard that was credited is a third alert,
    stale_shards, as soon as a tick falls between the two runs.
    """
    settings, lml = environ
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="foreign", times=None))
    sentry.refuse(503, 503, Retry_After="1")

    def delivered():
        alerts = [event["tags"] for event in sentry.events if "alert" in event.get("tags", {})]
        return sorted((tags["source"], tags["alert"]) for tags in alerts)

    def stored():
        with station.connect() as connection:
            alerts = select_alerts(connection, timedelta(days=1))
        return sorted((alert.source, "open" if alert.is_open else "closed") for alert in alerts if not alert.part_of)

    # The instance creates Dagster's tables: two processes that create them at the same time fail (type "jobs" already exists).
    with dg.DagsterInstance.get() as instance, running_daemon(settings, tmp_path / "daemon.log"):
        switch_on("stale_identities", settings)  # no library has an identity: the daemon launches a run
        wait_until_equal([("answers_trusted", "raised"), ("eligible_left_zero", "raised")], delivered)
        tries = sentry.tries
        lml.faults.clear()
        _repair(instance)
        both = [
            (source, state) for source in ("answers_trusted", "eligible_left_zero") for state in ("raised", "recovered")
        ]
        wait_until_equal(both, delivered)
        wait_until_equal([("answers_trusted", "closed"), ("eligible_left_zero", "closed")], stored)
    assert delivered() == both  # each exactly once
    assert tries >= 4  # two refusals, and two events that Sentry accepted
    (event,) = sentry.events_tagged(source="answers_trusted", alert="raised")
    assert event["level"] == "error"
    assert event["fingerprint"] == ["wxyc_assets", "library_identity", "answers_trusted"]
    assert event["extra"]["numbers"]["lml_untrusted_library_id"] > 0
    assert event["extra"]["also"] == [
        "library_identity: run failed: " + event["extra"]["also"][0].partition("failed: ")[2]
    ]
    with station.connect() as connection:
        runs = connection.execute("SELECT run_id FROM wxyc_assets.run WHERE origin = 'routine'").fetchall()
    assert (event["extra"]["run_id"],) in runs


@pytest.mark.timeout(900)  # a daemon and its runs must start, which takes long on a busy machine
def test_an_outage_of_lml_is_one_event_and_one_recovery(environ, station, sentry, tmp_path):
    """The sensor's run asks in vain, and a later run is answered: whatever failed meanwhile is part of the outage."""
    settings, lml = environ
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="disconnect", times=None))

    def delivered():
        alerts = [event["tags"] for event in sentry.events if "alert" in event.get("tags", {})]
        return [(tags["source"], tags["alert"]) for tags in alerts]

    with dg.DagsterInstance.get() as instance, running_daemon(settings, tmp_path / "daemon.log"):
        switch_on("stale_identities", settings)
        wait_until_equal([("lml_down", "raised")], delivered)
        with station.connect() as connection:
            parts = [alert for alert in select_alerts(connection) if alert.part_of]
        lml.faults.clear()
        _repair(instance)
        wait_until_equal([("lml_down", "raised"), ("lml_down", "recovered")], delivered)
    assert {part.kind for part in parts} >= {"run", "check"}
    told = sentry.events_tagged(source="lml_down", alert="raised")[0]["message"]["formatted"]
    assert told.startswith("LML does not answer: none of 40 inputs of library_identity got an answer\n")
    assert re.search(r"^next try: .+ UTC, by the sensor stale_identities$", told, re.MULTILINE)
    assert "next command: wxyc doctor" in told
    with station.connect() as connection:
        assert select_alerts(connection) == []
    assert sentry.check_ins


def _repair(instance):
    """Run all shards as `wxyc run` does."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job, key = DEFS.resolve_implicit_global_asset_job_def(), dg.AssetKey("library_identity")
    assert job.execute_in_process(
        instance=instance, asset_selection=[key], tags=range_tags("0", "15"), run_config=quiet
    ).success
