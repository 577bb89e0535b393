"""``wxyc demo``: the whole graph once, on a sandbox station."""

import json
import signal
import sys
from subprocess import PIPE

from resources.embedded_postgres import EmbeddedPostgres
from tests.processes import running
from tests.waiting import wait_for
from tests.wxyc_assets.cli.services.conftest import wait_until_nothing_is_left


def test_demo_runs_every_asset_and_a_second_one_continues(wxyc, home):
    fast = {"LML_DISCOGS_BUDGET_PER_MIN": "6000"}  # the budget never makes a run wait
    cache = home / "sandbox-lml-cache"
    first = wxyc("demo", timeout=240, **fast)
    assert first.exit_code == 0, first.stderr
    run = first.printed["library_identity"]
    assert run["totals"]["scanned"] > 300
    assert first.printed["stored"]["identities"] >= run["totals"]["rows_resolved"]
    wait_for(lambda: not EmbeddedPostgres(home).running(), "end of the server that demo started")
    stopped = wxyc("doctor")
    assert stopped.exit_code == 0, stopped.stderr
    assert not EmbeddedPostgres(home).running(), "doctor starts nothing"
    cold = cache.read_text()
    second = wxyc("demo", timeout=240, **fast)
    assert second.exit_code == 0, second.stderr
    assert cache.read_text() == cold, "the second demo asks Discogs about nothing"
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
    assert wxyc("status").printed["push_needed"] == []
    doctor = wxyc("doctor")
    assert doctor.exit_code == 0, doctor.stderr
    assert [finding["name"] for finding in doctor.printed["findings"] if finding["name"] == "our schema"]


def test_hangup_ends_a_demo_and_leaves_nothing(environ, home):
    """Also while it observes the external assets, a run whose end Dagster reports as a failure like any other."""
    EmbeddedPostgres(home).stop()  # `wxyc status` leaves it running, and a demo stops only what it started
    with running([sys.executable, "-m", "wxyc_assets", "demo"], env=environ, stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout
        assert process.stderr
        while b"observe the external assets" not in (line := process.stderr.readline()):
            assert line, "the demo ended early"
        process.send_signal(signal.SIGHUP)
        stdout, _ = process.communicate(timeout=240)
    assert process.returncode == 1
    assert "interrupted; what was committed is kept" in json.loads(stdout)["error"]
    wait_until_nothing_is_left(home)


def test_demo_refuses_the_sandbox_lml_on_a_real_station(wxyc, station, server, at_station):
    with station.connect() as connection:
        connection.execute("COMMENT ON TABLE library IS NULL")  # as on a station that wxyc did not make
    finished = wxyc("demo", **{**at_station, "LIBRARY_METADATA_URL": None, "LML_API_KEY": None})
    assert finished.exit_code == 1
    assert "invent identities" in finished.printed["error"]
    with station.connect() as connection:
        assert connection.execute("SELECT count(*) FROM library_identity").fetchone() == (0,)
