"""A day in the life of the services: the commands of deploy/compose.yaml as processes, from start to stop, in this order."""

import json
import os
import re
import shutil
import signal
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from tests.services.stack import processes_of, until
from tests.services.topology import compose
from tests.services.ui import Launch, most_at_once
from wxyc_assets.sandbox.lml.faults import Fault

SHARDS = [("0", "3"), ("4", "7"), ("8", "11"), ("12", "15")]

pytestmark = pytest.mark.usefixtures("services_up")


@pytest.fixture
def slow(site):
    """Lets LML take its time over every question about libraries, until the test ends."""

    def answers_after(latency_ms):
        fault = Fault(endpoint="bulk-resolve-libraries", kind="latency", latency_ms=latency_ms, times=None)
        site.lml.faults.arm(fault)

    yield answers_after
    site.lml.faults.clear()


@pytest.fixture
def reach(site):
    """Waits until runs have come to a status."""

    def wait(status, *run_ids, within_s=120):
        def there():
            return {run.status for run in site.ui.runs(run_ids).values()} == {status}

        until(there, within_s=within_s, what=f"{run_ids} {status}")

    return wait


def stale(site):
    """Let every library need asking again, so that a run over it has something to do."""
    site.rows("UPDATE wxyc_schema.library_identity SET last_verified_at = now() - interval '9 days' RETURNING 1")


def test_the_services_come_up_in_order_and_the_webserver_has_the_code_location(site, services_up):
    assert next(iter(services_up.services)) == "migrate"
    assert set(services_up.running) == set(compose()["services"])
    until(lambda: site.ui.location() == ("LOADED", "RepositoryLocation"), within_s=60, what="workspace")
    assert site.rows("SELECT count(*) FROM wxyc_assets.run") == [(0,)]


def test_several_runs_are_in_flight_at_once_within_the_queues_limit_and_each_partition_is_credited(site, slow, reach):
    slow(6000)
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    (before,) = site.rows("SELECT count(*) FROM wxyc_schema.library_identity")
    identities = [Launch("library_identity", first, last) for first, last in SHARDS]
    usage = Launch("rated_usage", f"{yesterday}-00:00", f"{yesterday}-23:00")
    ids = site.ui.launch([*identities, usage, Launch("rotation_identity")])
    reach("SUCCESS", *ids, within_s=180)
    assert 3 <= most_at_once(site.ui.runs(ids)) <= 4
    assert site.ui.credited("library_identity") == [str(shard) for shard in range(16)]
    (hours,) = site.ui.credited("rated_usage")
    assert hours.startswith(f"{yesterday}-00:00..")
    (after,) = site.rows("SELECT count(*) FROM wxyc_schema.library_identity")
    assert after > before
    assert site.rows("SELECT sum(event_count) FROM public.rated_usage")[0][0] == 5000
    assert site.rows("SELECT count(*) FROM wxyc_schema.rotation WHERE lml_identity_id IS NOT NULL")[0][0] > 10


def test_what_an_operator_runs_in_the_code_location_is_on_the_same_instance(site, services_up):
    command = [shutil.which("wxyc", path=services_up.services["code-location"].environ["PATH"])]
    finished = subprocess.run(
        [*command, "run", "flowsheet_enrichment", "--dry-run"],
        cwd=services_up.here.folder,
        env=services_up.services["code-location"].environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    (run_id,) = json.loads(finished.stdout)["run_ids"]
    assert site.ui.runs([run_id])[run_id].status == "SUCCESS"


def test_the_log_of_a_run_is_where_its_page_shows_it_and_nothing_else_is_written(services_up):
    folder = services_up.here.folder
    assert any('"step":"finished"' in path.read_text() for path in (folder / "state" / "compute-logs").rglob("*.err"))
    assert '"step":"finished"' in services_up.log("code-location")
    assert {path.name for path in (folder / "dagster").iterdir()} == {"dagster.yaml", "workspace.yaml"}
    assert [path.name for path in (folder / "state").iterdir()] == ["compute-logs"]


def test_a_run_that_is_killed_is_ended_by_its_code_location(site, services_up, slow, reach):
    slow(60_000)
    stale(site)
    (run_id,) = site.ui.launch([Launch("library_identity", "0", "0")])
    reach("STARTED", run_id)
    (pid,) = {int(pid) for line in site.ui.messages(run_id) for pid in re.findall(r"pid: (\d+)", line)}
    assert pid in processes_of(services_up.running["code-location"].pid)
    os.kill(pid, signal.SIGKILL)
    reach("FAILURE", run_id, within_s=20)


def test_a_due_run_waits_for_a_code_location_that_died_and_the_run_that_died_with_it_is_ended(
    site, services_up, slow, reach
):
    slow(60_000)
    stale(site)
    (dead,) = site.ui.launch([Launch("library_identity", "1", "1")])
    reach("STARTED", dead)
    until(lambda: site.rows("SELECT FROM wxyc_assets.run WHERE ended_at IS NULL"), within_s=20, what="at work")
    assert services_up.stop("daemon") == 0
    (due,) = site.ui.launch([Launch("library_identity", "2", "2")])
    services_up.kill("code-location")
    site.lml.faults.clear()
    services_up.start("daemon")
    until(lambda: any("re-submitting" in line for line in site.ui.messages(due)), within_s=60, what="put off")
    services_up.up("code-location")
    reach("SUCCESS", due)
    reach("FAILURE", dead, within_s=150)
    assert any("The process of this run is gone" in line for line in site.ui.messages(dead))


def test_a_code_location_that_is_told_to_stop_lets_its_run_end(site, services_up, slow, reach):
    slow(6000)
    stale(site)
    (run_id,) = site.ui.launch([Launch("library_identity", "3", "3")])
    reach("STARTED", run_id)
    assert services_up.stop("daemon") == 0
    assert services_up.stop("code-location") == 0
    reach("SUCCESS", run_id, within_s=1)


def test_everything_stops_when_it_is_told_to_and_leaves_no_process_and_no_session(site, services_up):
    assert set(services_up.down().values()) <= {0}
    assert services_up.left() == []
    until(lambda: site.sessions() == [], within_s=10, what="no session")
