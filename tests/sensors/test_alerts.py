"""The sensor that tells people: one look, and the whole way from a run of the daemon to Sentry."""

import os
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from resources.sentry import SentryConfig
from resources.sentry_post import SentryPost
from sensors.alerts import alerts
from tests.sensors.daemons import comes_to, running_daemon, switch_on
from tests.sentry_server import free_port, sentry_server
from wxyc_assets.alerts.listing import listed, watch
from wxyc_assets.cli.instance import STORAGE_VARIABLE, prepare_instance
from wxyc_assets.definitions import build_defs
from wxyc_assets.migrate import migrate
from wxyc_assets.operator import Operator
from wxyc_assets.partitions import range_tags
from wxyc_assets.revision import MigrationError
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.faults import Fault
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.settings import IdentitySettings, RatingSettings

DEFS = build_defs()


@pytest.fixture
def sentry():
    with sentry_server() as server:
        yield server


class Looks:
    """Lets the sensor look, with a Sentry; its cursor goes from look to look."""

    def __init__(self, instance, station, sentry):
        self.instance, self.station, self.sentry, self.cursor = instance, station, sentry, None

    def __call__(self):
        with closing(SentryPost(SentryConfig(self.sentry.dsn))) as post:
            context = dg.build_sensor_context(
                instance=self.instance,
                cursor=self.cursor,
                definitions=DEFS,
                resources={
                    "postgres": self.station,
                    "operator": Operator(human=False),
                    "sentry_post": post,
                    "identity_settings": IdentitySettings(),
                    "rating_settings": RatingSettings(),
                },
            )
            result = alerts(context)
        self.cursor = result.cursor or self.cursor
        return result.skip_reason.skip_message


@pytest.fixture
def look(instance, station, sentry):
    return Looks(instance, station, sentry)


def test_it_works_without_being_switched_on():
    assert alerts.default_status is dg.DefaultSensorStatus.RUNNING


def test_a_look_says_what_came_of_it_and_that_somebody_watches(look, station):
    with station.connect() as connection:
        assert not watch(connection).is_on
    assert look() == "heard 0 runs, told Sentry 0 times"
    with station.connect() as connection:
        assert watch(connection).is_on


def test_a_stale_shard_and_late_hours_are_told_once_and_again_when_they_have_recovered(look, station, sentry):
    with station.connect() as connection:
        connection.execute(
            "INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run) "
            "VALUES ('album_metadata', '3', now() - interval '27 hours', 'run')"
        )
    assert [look(), look()] == ["heard 0 runs, told Sentry 1 times", "heard 0 runs, told Sentry 0 times"]
    with station.connect() as connection:
        connection.execute("UPDATE wxyc_assets.partition_state SET credited_at = now()")
    assert look() == "heard 0 runs, told Sentry 1 times"
    assert [event["level"] for event in sentry.events] == ["warning", "info"]
    assert "album_metadata: shards 3 should have been done again" in sentry.events[0]["message"]["formatted"]


def test_a_sentry_that_refuses_is_named_and_told_later(look, station, sentry):
    with station.connect() as connection:
        connection.execute(
            "INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run) "
            "VALUES ('album_metadata', '3', now() - interval '27 hours', 'run')"
        )
    sentry.refuse(503)
    assert look() == "heard 0 runs, told Sentry 0 times; Sentry answered 503"
    with station.connect() as connection:
        assert watch(connection).problem == "Sentry answered 503"
        connection.execute("UPDATE wxyc_assets.alert SET retry_at = now()")
    assert look() == "heard 0 runs, told Sentry 1 times"


def test_a_database_that_is_gone_is_told_to_sentry_itself_once_an_hour(look, sentry):
    look.station = replace(look.station, dsn=f"postgresql://nobody@127.0.0.1:{free_port()}/gone", connect_timeout_s=2)
    sentry.refuse(500)
    assert "no alert is kept" in look()
    assert sentry.events == []
    assert [("no alert is kept" in look()) for _ in range(3)] == [True, True, True]
    (event,) = sentry.events
    assert event["fingerprint"] == ["wxyc_assets", "outbox", "database_unreachable"]


def test_a_station_without_our_schema_says_what_to_do(look, station):
    migrate(station, "base")
    with pytest.raises(MigrationError, match="run `wxyc migrate`"):
        look()


# The whole way


@pytest.fixture
def environ(station, server, tmp_path, monkeypatch, sentry):
    """The settings, here too, of a station with libraries that were never asked about, an LML, and a Sentry."""
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


def test_a_check_that_fails_in_a_run_of_the_daemon_is_told_exactly_once_though_sentry_refused_it_first(
    environ, station, sentry, tmp_path
):
    settings, lml = environ
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="foreign", times=None))
    sentry.refuse(503, 503, Retry_After="1")

    def told():
        alerts = [event["tags"] for event in sentry.events if "alert" in event.get("tags", {})]
        return [(tags["source"], tags["alert"]) for tags in alerts]

    def closed():
        with station.connect() as connection:
            return sorted((one.source, one.is_open) for one in listed(connection, timedelta(days=1)) if not one.part_of)

    with running_daemon(settings, tmp_path / "daemon.log"):
        switch_on("stale_identities", settings)  # nobody was ever asked about: the daemon launches a run
        comes_to({("answers_trusted", "raised"), ("eligible_left_zero", "raised")}, lambda: set(told()))
        looks = sentry.tries
        lml.faults.clear()
        with station.connect() as connection:  # as if it were tomorrow: the same shards are asked for once a day
            connection.execute("UPDATE library SET add_date = add_date - interval '1 day'")
        with dg.DagsterInstance.get() as instance:
            _repair(instance)
        recovered = {("answers_trusted", "recovered"), ("eligible_left_zero", "recovered")}
        comes_to(True, lambda: recovered <= set(told()))
        comes_to([("answers_trusted", False), ("eligible_left_zero", False)], closed)
    assert sorted(told()) == sorted({*told()})  # everything exactly once
    assert looks >= 4  # two refusals, and two that were taken
    (event,) = sentry.told(source="answers_trusted", alert="raised")
    assert event["level"] == "error"
    assert event["fingerprint"] == ["wxyc_assets", "library_identity", "answers_trusted"]
    assert event["extra"]["numbers"]["lml_untrusted_library_id"] > 0
    assert event["extra"]["also"] == [
        "library_identity: run failed: " + event["extra"]["also"][0].partition("failed: ")[2]
    ]
    with station.connect() as connection:
        runs = connection.execute("SELECT run_id FROM wxyc_assets.run WHERE origin = 'routine'").fetchall()
    assert (event["extra"]["run_id"],) in runs


def _repair(instance):
    """A run of all shards as `wxyc run` makes it."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job, key = DEFS.resolve_implicit_global_asset_job_def(), dg.AssetKey("library_identity")
    assert job.execute_in_process(
        instance=instance, asset_selection=[key], tags=range_tags("0", "15"), run_config=quiet
    ).success
