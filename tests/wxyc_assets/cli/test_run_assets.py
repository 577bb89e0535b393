"""``wxyc run`` of each asset: which options it takes, which partitions, and what it prints."""

from datetime import UTC, datetime, timedelta

import pytest

from resources.budget import PostgresBudget
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
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
        (["rotation_cache", "--partition", "yesterday"], "'yesterday' is not a day"),
        (["rotation"], "is not one of"),
    ],
)
def test_what_an_asset_does_not_understand_is_refused_with_what_would(wxyc, at_station, arguments, says):
    finished = wxyc("run", *arguments, **at_station)
    assert finished.exit_code == 1
    assert says in finished.printed["error"]


def test_rotation_identities_are_written_and_then_their_cache_is_warmed_for_today(wxyc, at_station, station):
    rotate(station, [1001, 1002, 1003])
    identity = wxyc("run", "rotation_identity", **at_station)
    assert identity.exit_code == 0, identity.stderr
    assert (identity.printed["partitions"], identity.printed["totals"]["resolved"]) == ([], 3)
    cache = wxyc("run", "rotation_cache", LML_DISCOGS_BUDGET_PER_MIN="6000", **at_station)
    assert cache.exit_code == 0, cache.stderr
    assert (cache.printed["partitions"], cache.printed["totals"]["warmed"]) == ([today()], 3)


def test_dry_runs_of_the_rotation_say_how_it_stands_and_ask_for_nothing(wxyc, at_station, station, lml):
    rotate(station, [1001, 1002, 1003], [None, 11, 12])
    identity = wxyc("run", "rotation_identity", "--dry-run", **at_station).printed["dry_run_report"]
    assert (identity["active_with_discogs"], identity["active_with_lml"], identity["would_ask"]) == (3, 2, 1)
    cache = wxyc("run", "rotation_cache", "--dry-run", **at_station)
    assert cache.printed["totals"]["identities_scanned"] == 2
    assert cache.printed["dry_run_report"]["discogs_calls"] == 8
    asked = [request for request in lml.requests if request.path.endswith(("resolve", "refresh-for-identities"))]
    assert [request.body for request in asked] == [None]  # the gate's probe, for no work


def test_another_day_of_the_cache_is_refused_with_the_reason(wxyc, at_station, station):
    rotate(station, [1001], [11])
    yesterday = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    finished = wxyc("run", "rotation_cache", "--partition", yesterday, **at_station)
    assert finished.exit_code == 1
    assert yesterday in finished.printed["reason"]
    assert "today" in finished.printed["reason"]


def test_a_gate_that_is_shut_is_a_run_that_could_not_and_a_doctor_that_says_so(wxyc, at_station, station, lml):
    rotate(station, [1001], [11])
    lml.faults.arm(Fault(endpoint="refresh-for-identities", kind="status", status=404, times=None))
    finished = wxyc("run", "rotation_cache", **at_station)
    assert finished.exit_code == 1
    failed = {check["name"] for check in finished.printed["checks"] if not check["passed"]}
    assert "deploy_gate_open" in failed
    doctor = wxyc("doctor", **at_station)
    assert {finding["name"] for finding in doctor.printed["findings"] if not finding["ok"]} == {
        "LML_API_KEY",
        "deploy gate",
    }


def test_what_others_have_reserved_is_told_once_however_many_runs_the_shards_make(wxyc, at_station, station):
    with station.connect() as connection:
        generate_libraries(connection, 100)
        generate_plays(connection, 200)
    budget = PostgresBudget(station.open, per_minute=30)
    budget.reserve(100)
    budget.close()
    shards = ["--partition", "1", "--partition", "3", "--partition", "5"]
    printed = wxyc("run", "album_metadata", *shards, "--dry-run", **at_station).printed
    assert len(printed["run_ids"]) == 3
    assert 150 < printed["dry_run_report"]["budget_backlog_s"] <= 200
    assert printed["dry_run_report"]["would_ask"] == printed["totals"]["would_ask"] > 10
