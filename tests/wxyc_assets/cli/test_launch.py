"""A run through Dagster: rows, events, one printed object, exit codes."""

import json
import signal
import subprocess
import sys

import dagster as dg
import psycopg
import pytest

from resources.budget import PostgresBudget
from tests.processes import running
from tests.waiting import wait_for
from tests.wxyc_assets.cli.services.conftest import pids_of
from wxyc_assets.cli.launch import add_up, failure_reason
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml.faults import Fault

KEYS = {"asset", "run_ids", "partitions", "dry_run", "totals", "checks"}


@pytest.fixture
def libraries(station):
    with station.connect() as connection:
        generate_libraries(connection, 200)
    return 200


def identities(station):
    with station.connect() as connection:
        return connection.execute("SELECT count(*) FROM library_identity").fetchone()[0]


def log_lines(stderr):
    return [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]


def test_run_writes_rows_prints_one_object_and_exits_0(wxyc, at_station, station, libraries):
    finished = wxyc("run", "library_identity", **at_station)
    assert finished.exit_code == 0, finished.stderr
    printed = finished.printed
    assert printed.keys() == KEYS
    assert printed["partitions"] == [str(shard) for shard in range(16)]
    assert len(printed["run_ids"]) == 1
    totals = printed["totals"]
    assert totals["scanned"] == libraries
    assert totals["scanned"] == totals["rows_resolved"] + totals["rows_unresolved"] + sum(
        totals["rows_skipped"].values()
    )
    assert identities(station) == totals["rows_resolved"] > 0
    assert all(check["passed"] for check in printed["checks"])
    steps = [line["step"] for line in log_lines(finished.stderr)]
    assert steps[:2] == ["init", "started"]
    assert steps[-1] == "finished"
    assert '"step":"batch_done"' in finished.stderr


def test_run_shows_in_dagster_with_each_shard_credited(wxyc, at_station, libraries):
    run_id = wxyc("run", "library_identity", "--partition", "3", "--partition", "4", **at_station).printed["run_ids"][0]
    with psycopg.connect(at_station["DAGSTER_DATABASE_URL"]) as connection:
        credited = connection.execute(
            "SELECT partition FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND run_id = %s",
            [run_id],
        ).fetchall()
        shown = connection.execute("SELECT pipeline_name, status FROM runs WHERE run_id = %s", [run_id]).fetchall()
    assert sorted(credited) == [("3",), ("4",)]
    assert shown == [("run_library_identity", "SUCCESS")]


def test_dry_run_writes_nothing_and_prints_the_locked_report(wxyc, at_station, station, libraries):
    finished = wxyc("run", "library_identity", "--dry-run", **at_station)
    assert finished.exit_code == 0, finished.stderr
    printed = finished.printed
    assert printed.keys() == KEYS | {"dry_run_report"}
    assert printed["dry_run"] is True
    report = printed["dry_run_report"]
    assert set(report) == {
        "scanned",
        "lml_total_calls",
        "lml_total_latency_ms",
        "would_resolve",
        "would_resolve_compilation",
        "would_unresolved",
        "would_skip",
        "source_rows_skipped_null_confidence",
    }
    assert report["scanned"] == libraries
    (line,) = [line for line in log_lines(finished.stderr) if line["step"] == "dry_run"]
    assert report.items() <= line.items()
    assert identities(station) == 0
    with station.connect() as connection:
        assert connection.execute("SELECT count(*) FROM wxyc_assets.run").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM wxyc_assets.tally").fetchone() == (0,)


def test_unrequested_answers_exit_2_and_name_the_check(wxyc, at_station, lml, station, libraries):
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="foreign", times=None))
    finished = wxyc("run", "library_identity", "--partition", "0", **at_station)
    assert finished.exit_code == 2
    failed = {check["name"] for check in finished.printed["checks"] if not check["passed"]}
    assert "answers_trusted" in failed
    assert "answers_trusted" in finished.printed["reason"]


def test_lost_batches_exit_2_and_the_others_are_written(wxyc, at_station, lml, station, libraries):
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="status", status=404, times=1))
    finished = wxyc("run", "library_identity", **at_station)
    assert finished.exit_code == 2
    totals = finished.printed["totals"]
    assert 0 < totals["rows_skipped"]["lml_error"] < totals["scanned"] == libraries
    assert identities(station) == totals["rows_resolved"] > 0


def test_lml_down_exits_1_after_every_page_and_marks_nothing(wxyc, at_station, station, libraries):
    finished = wxyc("run", "library_identity", **{**at_station, "LIBRARY_METADATA_URL": "http://127.0.0.1:9"})
    assert finished.exit_code == 1
    totals = finished.printed["totals"]
    assert totals["rows_skipped"]["lml_error"] == totals["scanned"] == libraries
    assert "wxyc doctor" in finished.printed["reason"]
    with station.connect() as connection:
        marked = connection.execute("SELECT count(*) FROM library WHERE unresolved_attempted_at IS NOT NULL").fetchone()
    assert marked == (0,)


def test_wrong_key_exits_1_and_is_never_shown(wxyc, at_station, libraries):
    finished = wxyc("run", "library_identity", **{**at_station, "LML_API_KEY": "wrong-key-marker"})
    assert finished.exit_code == 1
    assert "wrong-key-marker" not in finished.stdout + finished.stderr


def test_unreachable_database_exits_1_and_says_what_to_do(wxyc, at_station):
    finished = wxyc(
        "run", "library_identity", **{**at_station, "DATABASE_URL": "postgresql://x:secretpw@127.0.0.1:9/x"}
    )
    assert finished.exit_code == 1
    assert "cannot be reached" in finished.printed["error"]
    assert "secretpw" not in finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr


def test_database_without_our_schema_exits_1_and_says_migrate(wxyc, at_station, database):
    finished = wxyc("run", "library_identity", **{**at_station, "DATABASE_URL": database})
    assert finished.exit_code == 1
    assert "wxyc migrate" in finished.printed["error"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_run_ends_soon_and_keeps_what_it_committed(
    at_station, station, libraries, lml, environ, home, number
):
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="hang", times=None))
    program = [sys.executable, "-m", "wxyc_assets", "run", "library_identity"]
    options = {"env": {**environ, **at_station}, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with running(program, **options) as process:
        wait_for(lambda: lml.requests or process.poll() is not None, "request of the run")
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=120)
        assert not pids_of(home)
    assert process.returncode == 1, stderr
    assert "lml_error" not in {line["step"] for line in log_lines(stderr)}  # which its timeout would log after a minute
    assert "interrupted; what was committed is kept" in json.loads(stdout)["error"]
    with psycopg.connect(at_station["DAGSTER_DATABASE_URL"]) as connection:
        ((status,),) = connection.execute("SELECT status FROM runs").fetchall()
    assert status in {"CANCELED", "FAILURE"}
    with station.connect() as connection:  # the alerts know of the run, and an interruption is no alert
        counts = "SELECT (SELECT count(*) FROM wxyc_assets.heard_run), (SELECT count(*) FROM wxyc_assets.alert)"
        assert connection.execute(counts).fetchall() == [(1, 0)]
        ended = connection.execute("SELECT verdict, ended_at IS NOT NULL FROM wxyc_assets.run").fetchall()
        assert ended == [("failed", True)]


def test_hangup_of_a_run_under_nohup_ends_nothing(at_station, libraries, lml, environ):
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="latency", latency_ms=500, times=None))
    command = ["nohup", sys.executable, "-m", "wxyc_assets", "run", "library_identity"]
    options = {"env": {**environ, **at_station}, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "text": True}
    with running(command, stderr=subprocess.DEVNULL, **options) as process:
        wait_for(lambda: lml.requests or process.poll() is not None, "request of the run")
        process.send_signal(signal.SIGHUP)
        stdout, _ = process.communicate(timeout=120)
    assert (process.returncode, json.loads(stdout)["totals"]["scanned"]) == (0, libraries)


def test_dry_run_of_several_shards_is_one_run(wxyc, at_station, station):
    with station.connect() as connection:
        generate_libraries(connection, 100)
        generate_plays(connection, 200)
    budget = PostgresBudget(station.open, per_minute=30)
    budget.reserve(100)
    budget.close()
    shards = ["--partition", "1", "--partition", "3", "--partition", "5"]
    printed = wxyc("run", "album_metadata", *shards, "--dry-run", **at_station).printed
    assert (len(printed["run_ids"]), printed["partitions"]) == (1, ["1", "3", "5"])
    assert 150 < printed["dry_run_report"]["budget_backlog_s"] <= 200
    assert printed["dry_run_report"]["would_ask"] == printed["totals"]["would_ask"] > 10


def test_add_up_adds_numbers_of_nested_objects():
    parts = [{"scanned": 3, "skipped": {"a": 1}}, {"scanned": 4, "skipped": {"a": 2, "b": 5}}]
    assert add_up(parts) == {"scanned": 7, "skipped": {"a": 3, "b": 5}}
    assert add_up([]) == {}


@dg.op
def fails():
    raise RuntimeError("a wrapper") from ValueError("the root")


def test_failure_reason_is_the_root_cause_of_the_run(instance):
    job = dg.GraphDefinition("fails_job", node_defs=[fails]).to_job()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    run = job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)
    assert failure_reason(instance, run.run_id) == "ValueError: the root"


def test_failure_without_a_recorded_error_points_to_the_ui(instance):
    assert "its page in the Dagster UI has the log" in failure_reason(instance, "no-such-run")
