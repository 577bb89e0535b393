"""demo, up, down, migrate and sandbox: a station on one machine, and never a sandbox's word on a real one."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest

from resources.embedded_postgres import EmbeddedPostgres


def test_a_demo_resolves_the_sample_and_a_second_one_works_on_what_it_left(wxyc, home):
    fast = {"LML_DISCOGS_BUDGET_PER_MIN": "6000"}  # nothing to wait for but work
    first = wxyc("demo", timeout=240, **fast)
    assert first.exit_code == 0, first.stderr
    run = first.printed["library_identity"]
    assert run["totals"]["scanned"] > 300
    assert first.printed["stored"]["identities"] >= run["totals"]["rows_resolved"]
    assert not EmbeddedPostgres(home).running(), "demo stops what it started"
    second = wxyc("demo", timeout=240, **fast)
    assert second.exit_code == 0, second.stderr
    assert second.printed["library_identity"]["totals"]["scanned"] == 0
    assert first.printed["album_metadata"]["totals"]["upserts"] > 300
    assert first.printed["observed"] is True
    checks = [check for asset in first.printed.values() if isinstance(asset, dict) for check in asset.get("checks", [])]
    assert len(checks) > 30
    assert [check["name"] for check in checks if not check["passed"]] == []
    assert first.printed["flowsheet_enrichment"]["totals"]["flipped"] > 1000
    assert second.printed["flowsheet_enrichment"]["totals"]["flipped"] == 0
    assert first.printed["rated_usage"]["totals"]["events_rated"] == 5000
    assert second.printed["rated_usage"]["totals"]["rows_unchanged"] > 100
    assert first.printed["rotation_cache"]["totals"]["warmed"] > 20
    assert second.printed["stored"] == first.printed["stored"]


def test_up_serves_the_graph_and_ctrl_c_stops_everything(environ, home, free_port):
    port, lml_port = free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "wxyc_assets", "up", "--port", str(port), "--lml-port", str(lml_port)],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        at = json.loads(process.stdout.readline())
        assert at["ui"] == f"http://127.0.0.1:{port}"
        assets = httpx.post(
            f"{at['ui']}/graphql", json={"query": "{ assetNodes { assetKey { path } } }"}, trust_env=False, timeout=60
        ).json()
        assert ["library_identity"] in [node["assetKey"]["path"] for node in assets["data"]["assetNodes"]]
        health = httpx.get(f"{at['LIBRARY_METADATA_URL']}/health", trust_env=False)
        assert health.status_code == 200
        children = _children(process.pid)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, stderr
    assert children
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert not EmbeddedPostgres(home).running()
    with pytest.raises(httpx.ConnectError):
        httpx.get(at["ui"], trust_env=False)


def _children(pid):
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(child) for child in out.split()]


def test_up_says_when_its_port_is_taken(wxyc, free_port):
    port = free_port(keep=True)
    finished = wxyc("up", "--port", str(port))
    assert finished.exit_code == 1
    assert "--port" in finished.printed["error"]


def test_the_sandbox_lml_is_never_believed_about_a_real_station(wxyc, station, server, at_station):
    with station.connect() as connection:
        connection.execute("COMMENT ON TABLE library IS NULL")  # as on a station that wxyc did not make
    finished = wxyc("demo", **{**at_station, "LIBRARY_METADATA_URL": None, "LML_API_KEY": None})
    assert finished.exit_code == 1
    assert "invent identities" in finished.printed["error"]
    with station.connect() as connection:
        assert connection.execute("SELECT count(*) FROM library_identity").fetchone() == (0,)


def test_sandbox_create_makes_the_tables_and_says_how_many_rows(wxyc, database):
    empty = wxyc("sandbox", "create", "--empty", DATABASE_URL=database)
    assert empty.exit_code == 0, empty.stderr
    assert empty.printed["rows"]["library"] == 0
    filled = wxyc("sandbox", "create", DATABASE_URL=database)
    assert filled.printed["rows"]["library"] > 300
    again = wxyc("sandbox", "create", DATABASE_URL=database)
    assert again.printed["rows"] == filled.printed["rows"]
    assert again.printed["created"] is False


def test_migrate_says_from_where_to_where_and_does_nothing_twice(wxyc, database):
    first = wxyc("migrate", DATABASE_URL=database)
    assert (first.exit_code, first.printed["before"]) == (0, None)
    second = wxyc("migrate", DATABASE_URL=database)
    assert second.printed["before"] == second.printed["after"] == first.printed["after"]
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('wxyc_assets.tally') IS NOT NULL").fetchone() == (True,)


def test_down_stops_the_embedded_server_once(wxyc, home):
    EmbeddedPostgres(home).start()
    assert wxyc("down").printed == {"stopped": True}
    assert wxyc("down").printed == {"stopped": False}
