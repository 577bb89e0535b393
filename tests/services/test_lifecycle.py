"""The lifecycle of the services: the commands of deploy/compose.yaml as processes, from start to stop, in this order."""

import json
import os
import re
import shutil
import signal
import subprocess
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.processes import processes_of
from tests.services.deployment import compose
from tests.services.stack import TIMEOUT_S
from tests.services.webserver import Launch, peak_concurrency
from tests.waiting import wait_for
from wxyc_assets.sandbox.lml.faults import Fault

SHARDS = [("0", "3"), ("4", "7"), ("8", "11"), ("12", "15")]
OVERLAP_S = 15.0
"""How long LML holds each call, so that runs overlap that start one after the other; LML's clients give up after 30 s."""

pytestmark = [pytest.mark.usefixtures("services_up"), pytest.mark.timeout(6 * TIMEOUT_S)]


@pytest.fixture
def delay(site):
    """Delays LML's answers about libraries until the test ends."""

    def delay(seconds):
        fault = Fault(endpoint="bulk-resolve-libraries", kind="latency", latency_ms=1000 * seconds, times=None)
        site.lml.faults.arm(fault)

    yield delay
    site.lml.faults.clear()


@pytest.fixture
def wait_for_status(site):
    """Waits until runs have a status."""

    def wait(status, *run_ids):
        def reached():
            return {run.status for run in site.webserver.runs(run_ids).values()} == {status}

        wait_for(reached, f"{status} of {run_ids}", TIMEOUT_S)

    return wait


def make_stale(site):
    """Make all identities stale, so that a run over them has work to do."""
    site.rows("UPDATE wxyc_schema.library_identity SET last_verified_at = now() - interval '9 days' RETURNING 1")


def test_the_services_start_and_the_webserver_loads_the_graph(site, services_up):
    assert next(iter(services_up.services)) == "migrate"
    assert set(services_up.running) == set(compose()["services"])
    wait_for(lambda: site.webserver.location() == ("LOADED", "RepositoryLocation"), "loaded code location", TIMEOUT_S)
    assert site.rows("SELECT count(*) FROM wxyc_assets.run") == [(0,)]


def test_the_webserver_is_behind_the_guard(site, services_up):
    own = f"127.0.0.1:{site.machine.ports['3000']}"
    requests = {
        ("GET", "/", own): 200,
        ("GET", "/", "evil.example"): 403,
        ("GET", "/graphql?query=mutation{x}", own): 405,
        ("POST", "/graphql", own): 415,
    }
    answers = {
        (method, path, host): httpx.request(
            method, f"http://{own}{path}", headers={"host": host}, trust_env=False, timeout=TIMEOUT_S
        ).status_code
        for method, path, host in requests
    }
    assert answers == requests


def test_runs_overlap_within_the_queues_limit(site, delay, wait_for_status):
    """Each partition of theirs is materialized."""
    delay(OVERLAP_S)
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    (before,) = site.rows("SELECT count(*) FROM wxyc_schema.library_identity")
    identities = [Launch("library_identity", first, last) for first, last in SHARDS]
    usage = Launch("rated_usage", f"{yesterday}-00:00", f"{yesterday}-23:00")
    ids = site.webserver.launch([*identities, usage, Launch("rotation_identity")])
    wait_for_status("SUCCESS", *ids)
    runs = site.webserver.runs(ids).values()
    assert 3 <= peak_concurrency((run.start, run.end) for run in runs) <= 4
    assert site.webserver.materialized("library_identity") == [str(shard) for shard in range(16)]
    (hours,) = site.webserver.materialized("rated_usage")
    assert hours.startswith(f"{yesterday}-00:00..")
    (after,) = site.rows("SELECT count(*) FROM wxyc_schema.library_identity")
    assert after > before
    assert site.rows("SELECT sum(event_count) FROM public.rated_usage")[0][0] == 5000
    assert site.rows("SELECT count(*) FROM wxyc_schema.rotation WHERE lml_identity_id IS NOT NULL")[0][0] > 10


def test_an_operators_command_uses_the_same_instance(site, services_up):
    """A command that an operator executes in the code location's container."""
    environ = services_up.services["code-location"].environ
    program = shutil.which("wxyc", path=environ["PATH"])
    assert program
    finished = subprocess.run(
        [program, "run", "flowsheet_enrichment", "--dry-run"],
        cwd=services_up.machine.folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    (run_id,) = json.loads(finished.stdout)["run_ids"]
    assert site.webserver.runs([run_id])[run_id].status == "SUCCESS"


def test_services_write_logs_of_runs_and_nothing_else(services_up):
    folder = services_up.machine.folder
    assert any('"step":"finished"' in path.read_text() for path in (folder / "state" / "compute-logs").rglob("*.err"))
    assert '"step":"finished"' in services_up.log("code-location")
    assert {path.name for path in (folder / "dagster").iterdir()} == {"dagster.yaml", "workspace.yaml"}
    assert [path.name for path in (folder / "state").iterdir()] == ["compute-logs"]


def test_the_code_location_ends_a_killed_run(site, services_up, delay, wait_for_status):
    delay(600)
    make_stale(site)
    (run_id,) = site.webserver.launch([Launch("library_identity", "0", "0")])
    wait_for_status("STARTED", run_id)
    (pid,) = {int(pid) for line in site.webserver.messages(run_id) for pid in re.findall(r"pid: (\d+)", line)}
    assert pid in processes_of(services_up.running["code-location"].pid)
    os.kill(pid, signal.SIGKILL)
    wait_for_status("FAILURE", run_id)


def test_a_due_run_waits_for_a_dead_code_location(site, services_up, delay, wait_for_status):
    """The sensor dead_runs ends the run that died with the code location."""
    delay(600)
    make_stale(site)
    (dead,) = site.webserver.launch([Launch("library_identity", "1", "1")])
    wait_for_status("STARTED", dead)
    wait_for(lambda: site.rows("SELECT FROM wxyc_assets.run WHERE ended_at IS NULL"), "run at work", TIMEOUT_S)
    assert services_up.stop("daemon") == 0
    (due,) = site.webserver.launch([Launch("library_identity", "2", "2")])
    services_up.kill("code-location")
    site.lml.faults.clear()
    services_up.start("daemon")
    wait_for(lambda: any("re-submitting" in line for line in site.webserver.messages(due)), "postponed run", TIMEOUT_S)
    services_up.up("code-location")
    wait_for_status("SUCCESS", due)
    wait_for_status("FAILURE", dead)
    assert any("The process of this run is gone" in line for line in site.webserver.messages(dead))


def test_a_stopping_code_location_lets_its_run_end(site, services_up, delay, wait_for_status):
    delay(OVERLAP_S)
    make_stale(site)
    (run_id,) = site.webserver.launch([Launch("library_identity", "3", "3")])
    wait_for_status("STARTED", run_id)
    assert services_up.stop("daemon") == 0
    assert services_up.stop("code-location") == 0
    assert site.webserver.runs([run_id])[run_id].status == "SUCCESS"


def test_all_services_stop_and_leave_no_process_and_no_session(site, services_up):
    assert set(services_up.down().values()) <= {0}
    assert services_up.remaining() == []
    wait_for(lambda: site.sessions() == [], "end of all sessions", TIMEOUT_S)
