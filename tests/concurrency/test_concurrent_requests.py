"""``wxyc up``, and everybody wants something at once: what comes of it is what one after the other would have made."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter
from dagster._core.scheduler.instigation import ScheduleInstigatorData

from tests.concurrency.a_station import closed_hour, contents, numbers
from tests.concurrency.conftest import HOURS, Site
from tests.sentry_server import free_port
from tests.services.ui import Launch, Ui
from wxyc_assets.partitions import SHARD_KEYS
from wxyc_assets.rated_usage.windows import HOUR

PATIENCE_S = 400.0
RUNS_AT_ONCE = 4
"""As our dagster.yaml has it."""

BUDGET_PER_MIN = 30
START_SCHEDULE = """
mutation($s: ScheduleSelector!) { startSchedule(scheduleSelector: $s) { __typename ... on PythonError { message } } }
"""
SCHEDULE = {
    "repositoryLocationName": "wxyc_assets",
    "repositoryName": "__repository__",
    "scheduleName": "rate_trailing_hours",
}


@pytest.mark.timeout(900)  # it takes two minutes where nothing else runs
def test_everything_at_once_comes_to_the_same_as_one_after_the_other(sites: tuple[Site, Site]) -> None:
    crowd, alone = sites
    first = closed_hour() - HOURS * HOUR
    with up(crowd) as ui, dagster_of(crowd) as instance:
        shards = ui.launch(Launch("library_identity", shard, shard) for shard in SHARD_KEYS)
        albums = ui.backfill("album_metadata", SHARD_KEYS)
        missed_tick(ui, instance)
        # An operator re-rates a window over hours that the schedule rates as well, and hours that only they want.
        rated = wxyc(crowd, "run", "rated_usage", "--since", first.isoformat(), "--until", closed_hour().isoformat())
        plays_wait_for = [*shards, *comes(lambda: list(ui.runs_of(albums)))]
        ended = comes(lambda: all_ended(instance, at_least=len(plays_wait_for) + 2))
        marked = ui.backfill("flowsheet_enrichment", SHARD_KEYS)
        comes(lambda: set(ui.runs_of(marked).values()) == {"SUCCESS"})
        ended = all_ended(instance, at_least=len(ended) + 1)
        assert rated["totals"]["events_rated"] == rated["totals"]["events"] > 0
        comes(lambda: numbers(crowd.postgres, SESSIONS) == 0)  # an idle station holds no session of ours

    assert {run["status"] for run in ended} == {"SUCCESS"}
    assert {run["asset"] for run in ended} == {
        "library_identity", "album_metadata", "rated_usage", "flowsheet_enrichment",
    }  # fmt: skip
    assert sum(run["schedule"] == "rate_trailing_hours" for run in ended) >= 1
    launched = [run for run in ended if run["launched"]]
    assert 3 <= most_at_once(launched) <= RUNS_AT_ONCE
    assert crowd.lml.discogs.log.peak <= BUDGET_PER_MIN + 1

    assert numbers(crowd.postgres, LOCKS) == 0
    assert numbers(crowd.postgres, SESSIONS) == 0
    assert numbers(crowd.postgres, UNENDED) == 0

    one_after_the_other(alone, first)
    apart = contents(alone.postgres)
    assert all(apart.values())
    for table, rows in contents(crowd.postgres).items():
        assert rows == apart[table], table
    assert numbers(crowd.postgres, CHANGED_TWICE) == 0  # nobody billed a row again that somebody else had just billed
    assert numbers(crowd.postgres, IDENTITY_TALLY) == numbers(alone.postgres, IDENTITY_TALLY)


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
def up(site: Site) -> Iterator[Ui]:
    """``wxyc up`` on a station; in the end Ctrl-C has stopped everything."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wxyc_assets", "up", "--port", str(free_port())],
        env=site.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout
        said = process.stdout.readline()
        assert said, process.communicate(timeout=30)[1]
        yield Ui(json.loads(said)["ui"])
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        assert process.returncode == 0, stderr
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(60)
        process.kill()
        process.wait()


@contextmanager
def dagster_of(site: Site) -> Iterator[DagsterInstance]:
    """Dagster's instance, as the processes of ``wxyc up`` have it."""
    folder = f"{site.environ['WXYC_HOME']}/dagster"
    storage = "postgresql+psycopg2://" + site.environ["DAGSTER_DATABASE_URL"].split("://", 1)[1]
    os.environ["WXYC_DAGSTER_STORAGE_URL"] = storage
    try:
        with DagsterInstance.from_config(folder) as instance:
            yield instance
    finally:
        del os.environ["WXYC_DAGSTER_STORAGE_URL"]


def wxyc(site: Site, *arguments: str) -> dict[str, Any]:
    """A command of an operator, to its end; it must be done."""
    done = subprocess.run(
        [sys.executable, "-m", "wxyc_assets", *arguments],
        env=site.environ, capture_output=True, text=True, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def missed_tick(ui: Ui, instance: DagsterInstance) -> None:
    """Switch the hourly schedule on as if that had been an hour and a half ago: the daemon makes up for the last tick."""
    answer = ui.ask(START_SCHEDULE, s=SCHEDULE)["startSchedule"]
    assert answer["__typename"] == "ScheduleStateResult", answer
    (state,) = [one for one in instance.all_instigator_state() if one.instigator_name == "rate_trailing_hours"]
    data = state.instigator_data
    assert isinstance(data, ScheduleInstigatorData)
    long_ago = (datetime.now(UTC) - timedelta(minutes=90)).timestamp()
    instance.update_instigator_state(state.with_data(ScheduleInstigatorData(data.cron_schedule, long_ago)))


def all_ended(instance: DagsterInstance, at_least: int) -> list[dict[str, Any]]:
    """Every run there is, once so many are there and all have ended; nothing until then."""
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
    """The asset of a run; that of a schedule has a job of its own."""
    return next((key.to_user_string() for key in run.asset_selection or ()), "rated_usage")


def most_at_once(runs: list[Mapping[str, Any]] | list[dict[str, Any]]) -> int:
    """Return how many were under way at one time."""
    steps = sorted([(run["start"], 1) for run in runs] + [(run["end"], -1) for run in runs])
    most = now = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def comes(look: Callable[[], Any]) -> Any:
    """Wait until something is there, and return it."""
    deadline = time.monotonic() + PATIENCE_S
    while not (seen := look()):
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.3)
    return seen


def one_after_the_other(site: Site, first: datetime) -> None:
    """The same work on the twin, by one operator."""
    wxyc(site, "run", "library_identity")
    wxyc(site, "run", "album_metadata")
    wxyc(site, "run", "flowsheet_enrichment")
    wxyc(site, "run", "rated_usage", "--since", first.isoformat(), "--until", closed_hour().isoformat())
