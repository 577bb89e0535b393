"""``wxyc status``: the state of every asset, from the database alone."""

import subprocess
import sys

from wxyc_assets.runs.advisory_locks import run_locks
from wxyc_assets.sandbox.generator import generate_libraries

ASSETS = [
    "library_identity", "album_metadata", "flowsheet_enrichment", "rotation_identity", "rotation_cache", "rated_usage",
]  # fmt: skip


def test_assets_of_a_new_station_are_never_built(wxyc, at_station):
    finished = wxyc("status", **at_station)
    assert finished.exit_code == 0
    assets = finished.printed["assets"]
    assert list(assets) == ASSETS
    for asset in ASSETS[:3]:
        assert assets[asset]["partitions"] == {"fresh": 0, "late": 0, "failed": 0, "never_built": 16}
        assert (assets[asset]["last_good_run"], assets[asset]["waiting_since"]) == (None, None)
    assert (finished.printed["alerts"]["open"], finished.printed["at_work"]) == (0, [])
    assert finished.printed["budget"]["discogs_calls_per_min"] == 30


def test_partitions_are_fresh_after_their_run(wxyc, at_station, station):
    with station.connect() as connection:
        generate_libraries(connection, 48, first_id=1)
    run = wxyc("run", "library_identity", "--partition", "3", "--partition", "4", **at_station)
    assert run.exit_code == 0
    finished = wxyc("status", **at_station)
    asset = finished.printed["assets"]["library_identity"]
    assert asset["partitions"] == {"fresh": 2, "late": 0, "failed": 0, "never_built": 14}
    assert [asset["last_good_run"]] == run.printed["run_ids"]
    assert 0 <= asset["last_good_age_s"] < 120
    assert asset["waiting_s"] > 0, "fourteen shards are still to be done"
    (line,) = [line for line in finished.stderr.splitlines() if line.startswith("library_identity")]
    assert line.split()[1:5] == ["2", "0", "0", "14"]


def test_failed_partitions_are_counted_and_named(wxyc, at_station, station):
    with station.connect() as connection:
        generate_libraries(connection, 48, first_id=1)
    down = {**at_station, "LIBRARY_METADATA_URL": "http://127.0.0.1:9"}
    assert wxyc("run", "library_identity", "--partition", "3", **down).exit_code == 1
    printed = wxyc("status", **at_station).printed
    asset = printed["assets"]["library_identity"]
    assert (asset["partitions"]["failed"], asset["failed"]) == (1, ["3"])
    assert asset["open_alerts"] == printed["alerts"]["causes"] > 0
    assert wxyc("run", "library_identity", "--partition", "3", **at_station).exit_code == 0
    printed = wxyc("status", **at_station).printed
    assert (printed["assets"]["library_identity"]["failed"], printed["alerts"]["open"]) == ([], 0)


def test_running_run_is_shown_and_a_killed_one_is_not(wxyc, at_station, station):
    with station.connect() as connection:
        connection.execute(
            "INSERT INTO wxyc_assets.run (run_id, asset, origin, started_at) VALUES "
            "('alive', 'album_metadata', 'explicit', now() - interval '3 hours'), ('killed', 'rated_usage', 'routine', now())"
        )
    with run_locks(station, "alive"):
        finished = wxyc("status", **at_station)
    ((run_id, asset),) = [(run["run_id"], run["asset"]) for run in finished.printed["at_work"]]
    assert (run_id, asset) == ("alive", "album_metadata")
    assert "running: album_metadata for 3 h (run alive)" in finished.stderr


def test_status_imports_neither_dagster_nor_httpx(wxyc, at_station, environ):
    """The command promises less than a second; each of these imports takes longer."""

    code = (
        "import sys; from wxyc_assets.cli.program import run; code = run(['status']); "
        "print(sorted({'dagster', 'alembic', 'sqlalchemy', 'httpx'} & set(sys.modules)), code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environ, **at_station},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_station_without_billing_has_a_status_and_no_rating(wxyc, station, at_station):
    """Its billing is in another database, or it has none. Every other asset works; rated_usage says so in one line."""
    with station.connect() as connection:
        connection.execute("DROP TABLE rated_usage, billing_event CASCADE")
    status = wxyc("status", BILLING_START="2026-06-08T10:00:00Z", **at_station)
    assert status.exit_code == 0, status.stderr
    assert sum(status.printed["assets"]["rated_usage"]["partitions"].values()) == 0
    refused = wxyc("run", "rated_usage", **at_station)
    assert refused.exit_code == 1
    assert "this station has no billing tables" in refused.stdout
    doctor = wxyc("doctor", **{**at_station, "PRICE_FILE": None})
    (prices,) = [found for found in doctor.printed["findings"] if found["name"] == "price file"]
    assert prices["ok"]
    assert prices["says"] == "PRICE_FILE is not set, and not needed: this station has no billing tables"
    assert "Traceback" not in refused.stderr
