"""Runs of the command line update the alerts and send them to Sentry themselves."""

import dagster as dg
import pytest

from resources.postgres import Postgres
from tests.sentry_server import free_port, sentry_server
from wxyc_assets.cli.run_alerts import updating_alerts
from wxyc_assets.definitions import build_defs
from wxyc_assets.orchestration.resources import default_resources


@pytest.fixture
def definitions():
    return build_defs(**dict.fromkeys(default_resources(), object()))


def test_cli_run_sends_its_alerts_to_sentry(wxyc, at_station, failing_run):
    with sentry_server() as sentry:
        failing_run({**at_station, "SENTRY_DSN": sentry.dsn})
        (event,) = sentry.events_tagged(source="answers_trusted", alert="raised")
        assert event["level"] == "error"
        finished = wxyc("alerts", **at_station, SENTRY_DSN=sentry.dsn)
    assert (finished.printed["sentry"], finished.printed["undelivered"]) == ("configured", 0)


def test_sentry_outage_costs_a_cli_run_only_a_warning(wxyc, at_station, failing_run):
    dsn = f"http://a-public-key@127.0.0.1:{free_port()}/42"
    finished = failing_run({**at_station, "SENTRY_DSN": dsn})
    assert (
        "the alerts are stored and not sent yet, the sensor `alerts` does it later: Sentry cannot be reached"
        in finished.stderr
    )
    listed = wxyc("alerts", **at_station, SENTRY_DSN=dsn)
    assert listed.printed["undelivered"] == listed.printed["open"] > 0
    assert "Sentry does not have it: Sentry cannot be reached" in listed.stderr


def test_failed_update_is_a_warning_and_never_an_error(instance, definitions, capsys):
    unreachable = Postgres("postgresql://x:secretpw@127.0.0.1:9/x")
    with updating_alerts(instance, (unreachable, unreachable), definitions):
        pass
    shown = capsys.readouterr()
    assert "wxyc: the alerts are not updated, the sensor `alerts` does it later: " in shown.err
    assert (shown.out, "secretpw" in shown.err) == ("", False)


def test_failed_update_does_not_replace_the_error_of_the_run(instance, definitions, database):
    """The database has no schema of ours, so that the update fails as well."""
    with (
        pytest.raises(ValueError, match="of the run"),
        updating_alerts(instance, (Postgres(database),) * 2, definitions),
    ):
        raise ValueError("of the run")


def run_and_interrupt(instance, station, definitions):
    """A run that fails, since its resources are not there; then Ctrl-C."""
    job = definitions.resolve_implicit_global_asset_job_def()
    with updating_alerts(instance, (station, station), definitions):
        run = job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey("rotation_identity")],
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        assert not run.success
        raise KeyboardInterrupt


def test_alerts_are_updated_also_if_the_command_is_interrupted(instance, definitions, station):
    with pytest.raises(KeyboardInterrupt):
        run_and_interrupt(instance, station, definitions)
    (run,) = instance.get_runs()
    with station.connect() as connection:
        rows = connection.execute(
            "SELECT asset, kind, run_id FROM wxyc_assets.alert WHERE part_of IS NULL AND closed_at IS NULL"
        ).fetchall()
    assert rows == [("rotation_identity", "run", run.run_id)]
