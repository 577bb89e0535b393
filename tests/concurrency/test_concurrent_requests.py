"""Concurrent requests to ``wxyc up`` give the same tables as the same requests one after another."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.scheduler.instigation import ScheduleInstigatorData

from tests.concurrency.conftest import HOURS, Site, Twins
from tests.concurrency.twin_stations import contents, current_hour, value
from tests.processes import running
from tests.sentry_server import free_port
from tests.services.webserver import Launch, Webserver, peak_concurrency
from tests.waiting import wait_for
from wxyc_assets.runs.partitions import HOUR, SHARD_KEYS

T = TypeVar("T")

TIMEOUT_S = 1200.0
"""How long the test waits for any step; on an idle machine the whole test takes two minutes."""

MAX_CONCURRENT_RUNS = 4
"""The limit in our dagster.yaml."""

BUDGET_PER_MIN = 30
START_SCHEDULE = """
mutation($s: ScheduleSelector!) { startSchedule(scheduleSelector: $s) { __typename ... on PythonError { message } } }
"""
SCHEDULE = {
    "repositoryLocationName": "wxyc_assets",
    "repositoryName": "__repository__",
    "scheduleName": "rate_trailing_hours",
}


@pytest.mark.timeout(3 * TIMEOUT_S)
def test_concurrent_requests_give_the_sequential_results(twins: Twins) -> None:
    """The UI, a backfill, a missed schedule tick and an operator's command all request work of ``wxyc up`` at once."""
    site = twins.concurrent
    first = current_hour() - HOURS * HOUR
    with running_up(site) as webserver, dagster_instance(site) as instance:
        shards = webserver.launch(Launch("library_identity", shard, shard) for shard in SHARD_KEYS)
        albums = webserver.backfill("album_metadata", SHARD_KEYS)
        miss_a_tick(webserver, instance)
        # An operator re-rates hours that the schedule rates as well, and earlier hours.
        rated = wxyc(site, "run", "rated_usage", "--since", first.isoformat(), "--until", current_hour().isoformat())
        before_plays = [*shards, *wait(lambda: list(webserver.runs_of(albums)), "runs of the backfill")]
        ended = wait(lambda: all_ended(instance, at_least=len(before_plays) + 2), "end of all runs")
        plays = webserver.backfill("flowsheet_enrichment", SHARD_KEYS)
        wait(lambda: set(webserver.runs_of(plays).values()) == {"SUCCESS"}, "success of the plays' backfill")
        ended = all_ended(instance, at_least=len(ended) + 1)
        assert rated["totals"]["events_rated"] == rated["totals"]["events"] > 0
        wait(lambda: value(site.postgres, SESSIONS) == 0, "end of our sessions on the idle station")

    assert {run["status"] for run in ended} == {"SUCCESS"}
    assert {run["asset"] for run in ended} == {
        "library_identity", "album_metadata", "rated_usage", "flowsheet_enrichment",
    }  # fmt: skip
    assert sum(run["schedule"] == "rate_trailing_hours" for run in ended) >= 1
    launched = peak_concurrency((run["start"], run["end"]) for run in ended if run["launched"])
    assert 3 <= launched <= MAX_CONCURRENT_RUNS
    assert site.lml.discogs.log.peak <= BUDGET_PER_MIN + 1

    assert value(site.postgres, LOCKS) == 0
    assert value(site.postgres, SESSIONS) == 0
    assert value(site.postgres, UNENDED) == 0

    run_one_after_another(twins.sequential, first)
    expected = contents(twins.sequential.postgres)
    assert all(expected.values())
    for table, rows in contents(site.postgres).items():
        assert rows == expected[table], table
    assert value(site.postgres, CHANGED_TWICE) == 0  # no run billed a row again that another run had just billed
    assert value(site.postgres, IDENTITY_TALLY) == value(twins.sequential.postgres, IDENTITY_TALLY)


SESSIONS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'wxyc_assets%' AND pid <> pg_backend_pid()
"""
LOCKS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
UNENDED = "SELECT count(*) FROM wxyc_assets.run WHERE ended_at IS NULL"
CHANGED_TWICE = """
SELECT count(*) FROM (SELECT FROM wxyc_assets.usage_change GROUP BY usage_id HAVING count(*) > 1) t
"""
IDENTITY_TALLY = """
SELECT jsonb_object_agg(name, total) FROM (
  SELECT e.key AS name, sum(e.value::numeric) AS total FROM wxyc_assets.tally t, jsonb_each_text(t.counters) e
  WHERE t.asset = 'library_identity' AND e.key IN ('scanned', 'resolved', 'unresolved', 'compilation') GROUP BY 1) s
"""


@contextmanager
def running_up(site: Site) -> Iterator[Webserver]:
    """``wxyc up`` on a station, which ends with exit code 0 after Ctrl-C."""
    command = [sys.executable, "-m", "wxyc_assets", "up", "--port", str(free_port())]
    pipe = subprocess.PIPE
    with running(command, env=site.environ, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout
        printed = process.stdout.readline()
        assert printed, process.communicate(timeout=TIMEOUT_S)[1]
        yield Webserver(json.loads(printed)["ui"])
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == 0, stderr


@contextmanager
def dagster_instance(site: Site) -> Iterator[DagsterInstance]:
    """The Dagster instance of ``wxyc up``."""
    folder = f"{site.environ['WXYC_HOME']}/dagster"
    storage = "postgresql+psycopg2://" + site.environ["DAGSTER_DATABASE_URL"].split("://", 1)[1]
    os.environ["WXYC_DAGSTER_STORAGE_URL"] = storage
    try:
        with DagsterInstance.from_config(folder) as instance:
            yield instance
    finally:
        del os.environ["WXYC_DAGSTER_STORAGE_URL"]


def wxyc(site: Site, *arguments: str) -> dict[str, Any]:
    """Execute an operator's command, which must exit with 0; return its output."""
    command = [sys.executable, "-m", "wxyc_assets", *arguments]
    pipe = subprocess.PIPE
    with running(command, env=site.environ, stdout=pipe, stderr=pipe, text=True) as process:
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 0, stdout + stderr
    return dict(json.loads(stdout))


def miss_a_tick(webserver: Webserver, instance: DagsterInstance) -> None:
    """Start the hourly schedule with a start time 90 minutes ago, so that the daemon catches up on the last tick."""
    answer = webserver.execute(START_SCHEDULE, s=SCHEDULE)["startSchedule"]
    assert answer["__typename"] == "ScheduleStateResult", answer
    (state,) = [one for one in instance.all_instigator_state() if one.instigator_name == "rate_trailing_hours"]
    data = state.instigator_data
    assert isinstance(data, ScheduleInstigatorData)
    start = (datetime.now(UTC) - timedelta(minutes=90)).timestamp()
    instance.update_instigator_state(state.with_data(ScheduleInstigatorData(data.cron_schedule, start)))


def all_ended(instance: DagsterInstance, at_least: int) -> list[dict[str, Any]]:
    """All runs, if there are ``at_least`` that many, one of them by the schedule, and all have ended; else no runs."""
    ended = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
    if instance.get_run_records(RunsFilter(statuses=sorted(set(DagsterRunStatus) - set(ended), key=str))):
        return []
    records = instance.get_run_records()
    runs = [
        {
            "asset": asset_of(record.dagster_run),
            "status": record.dagster_run.status.value,
            "schedule": record.dagster_run.tags.get("dagster/schedule_name"),
            "launched": "wxyc/origin" not in record.dagster_run.tags,
            "start": instance.get_run_stats(record.dagster_run.run_id).launch_time or record.start_time,
            "end": record.end_time,
        }
        for record in records
    ]
    scheduled = any(run["schedule"] for run in runs)
    return runs if len(runs) >= at_least and scheduled else []


def asset_of(run: DagsterRun) -> str:
    """The asset of a run. A scheduled run has a job of its own and no asset selection."""
    return next((key.to_user_string() for key in run.asset_selection or ()), "rated_usage")


def wait(look: Callable[[], T], what: str) -> T:
    """Return the first true value of ``look``."""
    return wait_for(look, what, TIMEOUT_S, interval_s=0.3)


def run_one_after_another(site: Site, first: datetime) -> None:
    """Do the same work with commands, one after another."""
    wxyc(site, "run", "library_identity")
    wxyc(site, "run", "album_metadata")
    wxyc(site, "run", "flowsheet_enrichment")
    wxyc(site, "run", "rated_usage", "--since", first.isoformat(), "--until", current_hour().isoformat())
