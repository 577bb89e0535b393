"""``wxyc status``: the station at a glance, from its database alone."""

import sys

import pytest

from wxyc_assets.cli.bulletin import ago
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.single_flight import run_locks

ASSETS = [
    "library_identity", "album_metadata", "flowsheet_enrichment", "rotation_identity", "rotation_cache", "rated_usage",
]  # fmt: skip


def test_a_station_that_nobody_worked_on_was_never_built(wxyc, at_station):
    finished = wxyc("status", **at_station)
    assert finished.exit_code == 0
    assets = finished.printed["assets"]
    assert list(assets) == ASSETS
    for asset in ASSETS[:3]:
        assert assets[asset]["partitions"] == {"fresh": 0, "late": 0, "failed": 0, "never_built": 16}
        assert (assets[asset]["last_good_run"], assets[asset]["oldest_row_at"]) == (None, None)
    assert (finished.printed["alerts"]["open"], finished.printed["at_work"]) == (0, [])
    assert finished.printed["budget"]["discogs_calls_per_min"] == 30


def test_after_a_run_its_partitions_are_fresh_and_it_is_the_last_good_one(wxyc, at_station, station):
    with station.connect() as connection:
        generate_libraries(connection, 48, first_id=1)
    run = wxyc("run", "library_identity", "--partition", "3", "--partition", "4", **at_station)
    assert run.exit_code == 0
    finished = wxyc("status", **at_station)
    asset = finished.printed["assets"]["library_identity"]
    assert asset["partitions"] == {"fresh": 2, "late": 0, "failed": 0, "never_built": 14}
    assert [asset["last_good_run"]] == run.printed["run_ids"]
    assert 0 <= asset["last_good_age_s"] < 120
    assert 0 <= asset["oldest_row_age_s"] < 120
    (line,) = [line for line in finished.stderr.splitlines() if line.startswith("library_identity")]
    assert line.split()[1:5] == ["2", "0", "0", "14"]


def test_what_could_not_be_done_has_failed_and_is_named(wxyc, at_station, station):
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


def test_a_run_at_work_is_shown_and_a_killed_one_is_not(wxyc, at_station, station):
    with station.connect() as connection:
        connection.execute(
            "INSERT INTO wxyc_assets.run (run_id, asset, origin, started_at) VALUES "
            "('alive', 'album_metadata', 'explicit', now() - interval '3 hours'), ('killed', 'rated_usage', 'routine', now())"
        )
    with run_locks(station, "alive"):
        finished = wxyc("status", **at_station)
    ((run_id, asset),) = [(run["run_id"], run["asset"]) for run in finished.printed["at_work"]]
    assert (run_id, asset) == ("alive", "album_metadata")
    assert "at work: album_metadata since 3 h (run alive)" in finished.stderr


def test_it_does_not_wait_for_dagster_nor_for_lml_to_be_loaded(wxyc, at_station, environ):
    """Under a second is its promise; what costs one is left alone."""
    import subprocess

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


@pytest.mark.parametrize(
    ("age_s", "says"),
    [
        (None, "never"),
        (-1, "0 s ago"),
        (119, "119 s ago"),
        (121, "2 min ago"),
        (7300, "2 h ago"),
        (9 * 86400, "9 d ago"),
    ],
)
def test_ages_are_told_in_one_unit(age_s, says):
    assert ago(age_s) == says
