"""``wxyc run``: the options, partitions and origin of each asset."""

from datetime import UTC, datetime, timedelta

import pytest

from wxyc_assets.sandbox.generator import generate_billing_events, generate_libraries
from wxyc_assets.sandbox.lml.faults import Fault


def today():
    return datetime.now(UTC).date().isoformat()


def rotate(station, releases, identities=()):
    with station.connect() as connection:
        generate_libraries(connection, 20)
        for album_id, release in enumerate(releases, start=1):
            connection.execute(
                "INSERT INTO rotation (album_id, rotation_bin, add_date, discogs_release_id, lml_identity_id) "
                "VALUES (%s, 'H', CURRENT_DATE, %s, %s)",
                [album_id, release, identities[album_id - 1] if identities else None],
            )


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["album_metadata", "--recheck"], "--recheck is for library_identity, not for album_metadata"),
        (["rotation_identity", "--partition", "3"], "--partition is for library_identity, album_metadata"),
        (["library_identity", "--since", "2026-06-08T00:00:00Z"], "--since is for rated_usage"),
        (["flowsheet_enrichment", "--plan"], "--plan is for rated_usage"),
        (["library_identity", "--partition", "16"], "'16' is not a shard: 0 to 15"),
        (["rotation_cache", "--partition", "yesterday"], "'yesterday' is not 20"),
        (["rotation"], "is not one of"),
    ],
)
def test_option_of_another_asset_is_refused_with_its_assets(wxyc, at_station, arguments, says):
    finished = wxyc("run", *arguments, **at_station)
    assert finished.exit_code == 1
    assert says in finished.printed["error"]


def test_rotation_runs_write_identities_and_warm_todays_cache(wxyc, at_station, station):
    rotate(station, [1001, 1002, 1003])
    identity = wxyc("run", "rotation_identity", **at_station)
    assert identity.exit_code == 0, identity.stderr
    assert (identity.printed["partitions"], identity.printed["totals"]["resolved"]) == ([], 3)
    cache = wxyc("run", "rotation_cache", LML_DISCOGS_BUDGET_PER_MIN="6000", **at_station)
    assert cache.exit_code == 0, cache.stderr
    assert (cache.printed["partitions"], cache.printed["totals"]["warmed"]) == ([today()], 3)


def test_dry_runs_of_the_rotation_ask_lml_for_no_work(wxyc, at_station, station, lml):
    rotate(station, [1001, 1002, 1003], [None, 11, 12])
    identity = wxyc("run", "rotation_identity", "--dry-run", **at_station).printed["dry_run_report"]
    assert (identity["active_with_discogs"], identity["active_with_lml"], identity["would_ask"]) == (3, 2, 1)
    cache = wxyc("run", "rotation_cache", "--dry-run", **at_station)
    assert cache.printed["totals"]["identities_scanned"] == 2
    assert cache.printed["dry_run_report"]["discogs_calls"] == 8
    asked = [request for request in lml.requests if request.path.endswith(("resolve", "refresh-for-identities"))]
    assert [request.body for request in asked] == [None]  # the gate's probe, for no work


def test_rotation_cache_refuses_any_day_but_today(wxyc, at_station, station):
    rotate(station, [1001], [11])
    yesterday = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    finished = wxyc("run", "rotation_cache", "--partition", yesterday, **at_station)
    assert finished.exit_code == 1
    assert yesterday in finished.printed["error"]
    assert "only that of today" in finished.printed["error"]


def test_closed_gate_fails_the_run_and_the_doctor(wxyc, at_station, station, lml):
    rotate(station, [1001], [11])
    lml.faults.arm(Fault(endpoint="refresh-for-identities", kind="status", status=404, times=None))
    finished = wxyc("run", "rotation_cache", **at_station)
    assert finished.exit_code == 1
    failed = {check["name"] for check in finished.printed["checks"] if not check["passed"]}
    assert "deploy_gate_open" in failed
    doctor = wxyc("doctor", **at_station)
    assert {finding["name"] for finding in doctor.printed["findings"] if not finding["ok"]} == {"deploy gate"}


DAY = ["--since", "2026-06-08T00:00:00Z", "--until", "2026-06-09T00:00:00Z"]


@pytest.fixture
def billed(station):
    """A day of usage in June, in the sandbox's models."""
    with station.connect() as connection:
        generate_billing_events(
            connection, 2000, first_instant=datetime(2026, 6, 8, tzinfo=UTC), hours=24, accounts=5, models=SAMPLE_MODELS
        )
    return station


SAMPLE_MODELS = dict.fromkeys(["qwen2.5-7b-instruct", "llama-3.1-8b-instruct"])


def test_plan_reports_what_the_run_then_bills(wxyc, at_station, billed):
    plan = wxyc("run", "rated_usage", *DAY, "--plan", **at_station)
    assert plan.exit_code == 0, plan.stderr
    assert plan.printed["dry_run"] is True
    done = wxyc("run", "rated_usage", *DAY, **at_station)
    assert done.exit_code == 0, done.stderr
    assert done.printed["totals"]["events_rated"] == 2000
    assert done.printed["totals"]["total_cost"] == plan.printed["totals"]["total_cost"]
    assert done.printed["partitions"][::23] == ["2026-06-08-00:00", "2026-06-08-23:00"]
    with billed.connect() as connection:
        ((cost, origin),) = connection.execute(
            "SELECT (SELECT sum(cost)::text FROM rated_usage), (SELECT max(origin) FROM wxyc_assets.run)"
        ).fetchall()
    assert (cost, origin) == (done.printed["totals"]["total_cost"], "explicit")


def test_rating_without_a_window_is_the_routine_run(wxyc, at_station, station):
    finished = wxyc("run", "rated_usage", RATE_TRAILING_HOURS="3", **at_station)
    assert finished.exit_code == 0, finished.stderr
    assert len(finished.printed["partitions"]) == 3
    with station.connect() as connection:
        assert connection.execute("SELECT origin FROM wxyc_assets.run").fetchall() == [("routine",)]


@pytest.mark.parametrize(
    ("window", "says"),
    [
        (["--since", "yesterday"], "--since yesterday"),
        (["--since", "2026-06-08T10:30:00Z"], "whole UTC hour"),
        (["--since", "2026-06-08T10:00:00Z", "--until", "2026-06-08T09:00:00Z"], "ends before it begins"),
        (["--until", "2999-01-01T00:00:00Z"], "lies ahead"),
        (["--since", "2025-12-31T23:00:00Z"], "before 2026"),
    ],
)
def test_window_that_cannot_be_rated_is_refused(wxyc, at_station, window, says):
    finished = wxyc("run", "rated_usage", *window, **at_station)
    assert finished.exit_code == 1
    assert says in finished.printed["error"]


@pytest.mark.parametrize(
    ("price_file", "says"),
    [
        (None, "PRICE_FILE is not set"),
        ("/nowhere/prices.yaml", "price file /nowhere/prices.yaml cannot be used:\n  - cannot be read: No such file"),
    ],
)
def test_rating_without_prices_bills_nothing_and_says_why(wxyc, at_station, billed, price_file, says):
    finished = wxyc("run", "rated_usage", *DAY, **{**at_station, "PRICE_FILE": price_file})
    assert finished.exit_code == 1
    assert says in finished.printed["error"]
    with billed.connect() as connection:
        assert connection.execute("SELECT count(*) FROM rated_usage").fetchone() == (0,)


def test_unpriced_event_exits_2_and_names_the_check(wxyc, at_station, billed):
    with billed.connect() as connection:
        connection.execute(
            "UPDATE billing_event SET model = 'unpriced-model' WHERE request_id IN "
            "(SELECT request_id FROM billing_event ORDER BY 1 LIMIT 3)"
        )
    finished = wxyc("run", "rated_usage", *DAY, **at_station)
    assert finished.exit_code == 2
    assert finished.printed["totals"]["unpriced_events"] == 3
    failed = {(check["name"], check["severity"]) for check in finished.printed["checks"] if not check["passed"]}
    assert failed == {("unpriced_zero", "ERROR"), ("trailing_hours_rated", "WARN")}
