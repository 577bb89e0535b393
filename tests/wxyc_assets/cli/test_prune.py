"""``wxyc prune``: a dry run first, then the same counts removed, and what it refuses."""

from psycopg import connect

OLD = (
    "UPDATE runs SET end_time = end_time - 100 * 86400",
    "UPDATE event_logs SET timestamp = timestamp - interval '100 days'",
)


def without_clock(asset):
    return {
        name: value for name, value in asset.items() if name not in {"last_good_age_s", "waiting_s", "waiting_since"}
    }


def test_what_a_dry_run_counts_is_removed(wxyc, at_station, station):
    for _ in range(2):
        assert wxyc("run", "rotation_identity", **at_station).exit_code == 0
    with connect(at_station["DAGSTER_DATABASE_URL"], autocommit=True) as dagster:
        for statement in OLD:
            dagster.execute(statement.encode())
    with station.connect() as connection:
        connection.execute("UPDATE wxyc_assets.heard_run SET ended_at = ended_at - interval '100 days'")
    status = wxyc("status", **at_station).printed["assets"]
    counted = wxyc("prune", "--older-than", "90d", "--dry-run", **at_station)
    assert (counted.exit_code, counted.printed["dry_run"], counted.printed["unread_runs"]) == (0, True, 0)
    assert counted.printed["removed"]["events"]["count"] > 10
    assert counted.printed["removed"]["run_logs"]["bytes"] > 0
    assert "would be removed, because it is from before" in counted.stderr
    done = wxyc("prune", PRUNE_AFTER_DAYS="90", **at_station)
    assert done.printed["removed"] == counted.printed["removed"]
    left = wxyc("prune", **at_station).printed["removed"]
    assert {kind for kind, removed in left.items() if removed["count"]} == set()
    after = wxyc("status", **at_station).printed["assets"]
    assert {name: without_clock(one) for name, one in after.items()} == {
        name: without_clock(one) for name, one in status.items()
    }


def test_an_age_that_is_too_short_is_refused_with_the_reason(wxyc, at_station):
    finished = wxyc("prune", "--older-than", "13d", **at_station)
    assert finished.exit_code == 1
    assert "13d is too short, the shortest is 14d: checks and alerts read what is younger" in finished.printed["error"]


def test_runs_that_the_alerts_have_not_read_exit_2(wxyc, at_station, station):
    assert wxyc("run", "rotation_identity", **at_station).exit_code == 0
    with connect(at_station["DAGSTER_DATABASE_URL"], autocommit=True) as dagster:
        dagster.execute(OLD[0].encode())
    with station.connect() as connection:
        connection.execute("DELETE FROM wxyc_assets.heard_run")
    finished = wxyc("prune", **at_station)
    assert (finished.exit_code, finished.printed["unread_runs"]) == (2, 1)
    assert "WARN 1 old runs stay: the sensor alerts has not read them" in finished.stderr
