"""``wxyc alerts``: the alerts that runs of the command line raise, listed and closed."""

import pytest

from wxyc_assets.sandbox.generator import generate_libraries


def test_alerts_of_a_new_station_are_none_and_the_sensor_is_off(wxyc, at_station):
    finished = wxyc("alerts", **at_station)
    assert finished.exit_code == 0
    assert finished.printed == {
        "open": 0, "causes": 0, "errors": 0, "undelivered": 0, "sentry": "not configured", "delivery_problem": None,
        "watched_at": None, "watched": False, "alerts": [],
    }  # fmt: skip
    assert "no open alert" in finished.stderr
    assert "the sensor `alerts` has never run" in finished.stderr
    assert "SENTRY_DSN is not set" in finished.stderr


def test_failed_check_of_a_cli_run_is_listed_without_a_daemon(wxyc, at_station, failing_run):
    run = failing_run(at_station)
    finished = wxyc("alerts", **at_station)
    (alert,) = [one for one in finished.printed["alerts"] if one["source"] == "answers_trusted"]
    assert (alert["asset"], alert["kind"], alert["severity"], alert["occurrences"]) == (
        "library_identity", "check", "error", 1,
    )  # fmt: skip
    assert [alert["run_id"]] == run.printed["run_ids"]
    assert alert["numbers"]["lml_untrusted_library_id"] > 0
    assert alert["delivered_at"] is None
    assert "ERROR     library_identity: check answers_trusted failed" in finished.stderr
    assert alert["runbook"] == "docs/operations.md#answers_trusted"
    assert "          runbook: `wxyc runbook answers_trusted`, docs/operations.md#answers_trusted\n" in finished.stderr


def test_recovered_alerts_are_listed_with_the_option_only(wxyc, at_station, failing_run):
    failing_run(at_station)
    assert wxyc("run", "library_identity", **at_station).exit_code == 0
    assert wxyc("alerts", **at_station).printed["alerts"] == []
    finished = wxyc("alerts", "--recovered", **at_station)
    assert {one["source"] for one in finished.printed["alerts"]} >= {"answers_trusted"}
    assert finished.printed["open"] == 0
    assert "recovered library_identity: check answers_trusted failed" in finished.stderr


def test_failed_run_is_listed_with_its_unevaluated_checks(wxyc, at_station):
    settings = {**at_station, "PRICE_FILE": None}
    run = wxyc("run", "rated_usage", **{name: value for name, value in settings.items() if value})
    assert run.exit_code == 1
    finished = wxyc("alerts", **at_station)
    heads = [one for one in finished.printed["alerts"] if one["part_of"] is None]
    assert [(one["kind"], one["source"]) for one in heads] == [("run", "rated_usage")]
    assert finished.printed["causes"] == 1
    assert finished.printed["open"] == len(finished.printed["alerts"]) > 5
    assert "PRICE_FILE is not set" in finished.stderr
    assert "with the same cause: rated_usage accounting_holds, " in finished.stderr
    assert 'next command: wxyc prices check "$PRICE_FILE"' in finished.stderr


def test_lml_down_is_one_alert_until_it_answers(wxyc, at_station, station, free_port):
    """What LML did not answer is part of it; what is still open when LML is back stands on its own."""
    with station.connect() as connection:
        generate_libraries(connection, 48, first_id=1)
    down = {**at_station, "LIBRARY_METADATA_URL": f"http://127.0.0.1:{free_port()}", "WXYC_UI_URL": "http://ui.example"}
    for asset in ("library_identity", "rotation_cache"):
        assert wxyc("run", asset, **down).exit_code != 0
    finished = wxyc("alerts", **down)
    first = finished.printed["alerts"][0]
    assert (finished.printed["causes"], first["source"], first["next_command"]) == (1, "lml_down", "wxyc doctor")
    assert finished.printed["open"] > 3
    assert first["run"].startswith("http://ui.example/runs/")
    assert wxyc("run", "library_identity", **at_station).exit_code == 0
    left = wxyc("alerts", **at_station).printed
    assert "lml_down" not in {alert["source"] for alert in left["alerts"]}
    assert {alert["asset"] for alert in left["alerts"] if alert["part_of"] is None} == {"rotation_cache"}


def test_close_closes_all_named_alerts_or_none(wxyc, at_station, failing_run):
    failing_run(at_station)
    (alert,) = [one for one in wxyc("alerts", **at_station).printed["alerts"] if one["source"] == "answers_trusted"]
    mixed = wxyc("alerts", "--close", str(alert["alert_id"]), "--close", "999", **at_station)
    assert (mixed.exit_code, "none was closed" in mixed.printed["error"]) == (1, True)
    finished = wxyc("alerts", "--close", str(alert["alert_id"]), **at_station)
    assert finished.exit_code == 0
    assert "answers_trusted" not in {one["source"] for one in finished.printed["alerts"]}
    again = wxyc("alerts", "--close", str(alert["alert_id"]), **at_station)
    assert (again.exit_code, "no alert is open under" in again.printed["error"]) == (1, True)


@pytest.mark.parametrize("nonsense", ["x", "0", "-3", "99999999999999999999"])
def test_close_refuses_what_is_no_id_without_a_traceback(wxyc, at_station, nonsense):
    finished = wxyc("alerts", "--close", nonsense, **at_station)
    assert (finished.exit_code, "--close" in finished.printed["error"]) == (1, True)
    assert "Traceback" not in finished.stderr


HOUR = ("--since", "2026-06-08T10:00:00Z", "--until", "2026-06-08T11:00:00Z")


def add_unpriced(station, name):
    with station.connect() as connection:
        connection.execute(
            "INSERT INTO billing_event (request_id, auth_id, resource_id, model, event_ts) "
            "VALUES (%s, 'a', 'r', 'no-such-model', '2026-06-08T10:10:00Z')",
            [name],
        )


def money_alerts(wxyc, at_station):
    printed = wxyc("alerts", **at_station).printed
    return {alert["source"]: alert for alert in printed["alerts"] if alert["needs_acknowledgement"]}


def test_alert_about_money_waits_for_an_operator(wxyc, at_station, station):
    add_unpriced(station, "one")
    assert wxyc("run", "rated_usage", *HOUR, **at_station).exit_code == 2
    alert_id = str(money_alerts(wxyc, at_station)["unpriced_zero"]["alert_id"])
    with station.connect() as connection:
        connection.execute("DELETE FROM billing_event")
    assert wxyc("run", "rated_usage", *HOUR, **at_station).exit_code == 0
    assert set(money_alerts(wxyc, at_station)) == {"unpriced_zero"}
    closed = wxyc("alerts", "--close", alert_id, **at_station)
    assert (closed.exit_code, "--ack" in closed.printed["error"]) == (1, True)
    for arguments in (["--ack", alert_id], ["--ack", alert_id, "--reason", " "], ["--reason", "why"]):
        assert wxyc("alerts", *arguments, **at_station).exit_code == 1
    said = ("--reason", "credited", "--by", "finance")
    assert wxyc("alerts", "--ack", "999999", *said, **at_station).exit_code == 1
    assert wxyc("alerts", "--ack", alert_id, *said, **at_station).exit_code == 0
    assert money_alerts(wxyc, at_station) == {}
    with station.connect() as connection:
        kept = connection.execute(
            "SELECT alert_id, by_partition, reason, acknowledged_by FROM wxyc_assets.acknowledgement"
        ).fetchall()
    assert kept == [(int(alert_id), {"2026-06-08-10:00": 1}, "credited", "finance")]


def test_acknowledged_hour_is_raised_again_if_it_gets_worse(wxyc, at_station, station):
    add_unpriced(station, "one")
    wxyc("run", "rated_usage", *HOUR, **at_station)
    alert = money_alerts(wxyc, at_station)["unpriced_zero"]
    wxyc("alerts", "--ack", str(alert["alert_id"]), "--reason", "a test model", **at_station)
    assert wxyc("run", "rated_usage", *HOUR, **at_station).exit_code == 2
    assert money_alerts(wxyc, at_station) == {}
    add_unpriced(station, "two")
    wxyc("run", "rated_usage", *HOUR, **at_station)
    assert money_alerts(wxyc, at_station)["unpriced_zero"]["numbers"]["unpriced_events"] == 2
