"""Runs that lose their database, are killed or interrupted, or meet an exception: what they committed is counted exactly."""

import random
import signal
import threading
import time
import uuid
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from resources.lml.models import BulkResolveAnswer
from resources.postgres import Postgres
from tests.run_harness import assert_stopped_without_its_locks, child
from tests.waiting import wait_for
from tests.wxyc_assets.assets.library_identity.fake_lml import all_single_artists, mixed, serve_verdicts
from tests.wxyc_assets.assets.library_identity.harness import LibraryIdentityRuns, request
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.run import RunReport, run
from wxyc_assets.sandbox.generator import generate_libraries

RUN_PROCESS = "tests.wxyc_assets.assets.library_identity.run_process"


def test_run_that_loses_its_sessions_keeps_what_it_committed(library):
    def kill_after_five_batches(inputs):
        if len(lml.asked) == 12:
            wait_for(lambda: len(library.steps("batch_done")) >= 5, "five written batches")
            library.kill_sessions()
        return all_single_artists(inputs)

    run_id = str(uuid.uuid4())
    with serve_verdicts(kill_after_five_batches) as lml:
        report = library.run(lml.url, run_id=run_id)
    assert report.verdict == "failed"
    assert "database" in report.reason
    written = library.rows("SELECT library_id FROM library_identity")
    tallied = Counters.from_stored(library.tallied(run_id))
    assert 125 <= len(written) < 400
    assert tallied.resolved == tallied.scanned == len(written)
    assert {row[0] for row in library.rows("SELECT library_id FROM library_identity_source")} == {
        row[0] for row in written
    }
    credited = {(str(shard),) for shard in library.credited}
    assert set(library.rows("SELECT partition_key FROM wxyc_assets.tally WHERE complete")) == credited
    assert library.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]

    with serve_verdicts(all_single_artists) as lml:
        again = library.run(lml.url)
    assert again.verdict == "done", again.reason
    assert again.counters.resolved == 400 - len(written)


def test_page_blocked_beyond_the_timeout_fails_its_shard(library):
    """The other shards are done."""
    impatient = LibraryIdentityRuns(replace(library.postgres, statement_timeout_ms=3000))
    with library.postgres.connect() as other, other.transaction():
        other.execute("SELECT FROM library WHERE id = 17 FOR UPDATE")
        with serve_verdicts(all_single_artists) as lml:
            report = impatient.run(lml.url)
    assert report.verdict == "failed"
    assert report.reason.startswith("shard 1: database: QueryCanceled")
    assert sorted(impatient.credited) == [0, *range(2, 16)]
    assert impatient.rows("SELECT FROM wxyc_assets.quarantine") == []


def test_run_survives_the_loss_of_its_idle_sessions(library):
    """Firewalls and idle_session_timeout end sessions that idle through a long run."""

    def drop_idle(inputs):
        library.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND query ~ '^-- (begin_run|select_run_start|select_revision)'"
        )
        return all_single_artists(inputs)

    with serve_verdicts(drop_idle) as lml:
        report = library.run(lml.url)
    assert report.verdict == "done", report.reason


def test_run_after_killed_runs_leaves_the_rows_of_one_run(server, station_template, library):
    def slowly(inputs):
        time.sleep(0.1)
        return mixed(inputs)

    with serve_verdicts(mixed) as lml:
        library.run(lml.url)
    undisturbed = library.content()

    dsn = server.create_database(template=str(psycopg.conninfo.conninfo_to_dict(station_template)["dbname"]))
    killed = LibraryIdentityRuns(Postgres(dsn))
    with killed.postgres.connect() as connection:
        generate_libraries(connection, 400, first_id=1)
    chance = random.Random(7)
    died = 0
    with serve_verdicts(slowly) as lml:
        for attempt in range(4):
            run_id = f"killed {attempt}"
            with child(RUN_PROCESS, killed.postgres.dsn, lml.url, run_id) as process:
                calls = len(lml.asked) + chance.randrange(1, 5)
                while len(lml.asked) < calls and process.poll() is None:
                    time.sleep(0.002)
                time.sleep(chance.random() * 0.2)  # the kill hits a call or a transaction
                process.kill()
                died += process.wait() == -signal.SIGKILL
            killed.wait_until_alone()
            tallied = Counters.from_stored(killed.tallied(run_id))
            assert tallied.scanned == tallied.accounted
        assert died > 1
        assert killed.rows("SELECT count(*) FROM library_identity") == killed.rows(
            "SELECT COALESCE(sum((counters->>'resolved')::int), 0) FROM wxyc_assets.tally"
        )
        report = killed.run(lml.url)  # the locks of the killed runs ended with their sessions
    assert report.verdict == "done", report.reason
    assert killed.content() == undisturbed
    assert killed.rows("SELECT FROM library_identity_history") == []
    server.drop_database(dsn)


def test_interrupted_run_ends_while_its_lml_calls_still_hang(library):
    """Each call would hang for 60 s."""
    with (
        serve_verdicts(all_single_artists) as lml,
        child(RUN_PROCESS, library.postgres.dsn, lml.url, "interrupted") as process,
    ):
        library.assert_ends_on_interrupt(process, lml, "interrupted")


def test_exception_while_crediting_stops_the_lanes_first(library):
    """The lanes have ended before the run releases its locks."""

    def refuse(_done):
        raise ConnectionError("Dagster's storage is gone")

    def slowly(inputs):
        time.sleep(0.05)
        return all_single_artists(inputs)

    with serve_verdicts(slowly) as lml, library.lml(lml.url) as client:
        try:
            run(request(run_id="uncredited"), library.tools(client, "uncredited"), refuse)
        except ConnectionError:  # this block still holds the exception, and so the frames of the run
            lanes = [thread for thread in threading.enumerate() if thread.name == "lane"]
        assert lanes == []
        written = len(library.rows("SELECT FROM library_identity"))
        assert written < 400
    assert library.rows("SELECT verdict, reason FROM wxyc_assets.run") == [
        ("failed", "ConnectionError: Dagster's storage is gone")
    ]
    assert library.tallied("uncredited")["resolved"] == written


def test_defect_fails_the_run_and_reaches_the_caller(library):
    no_list: Any = 7

    class Broken:
        def bulk_resolve_libraries(self, _inputs, **_options):
            return BulkResolveAnswer.model_construct(results=no_list)

    with pytest.raises(TypeError):
        run(request(), library.tools(Broken()), lambda _done: None)
    assert library.steps("failed")[0]["level"] == "error"
    assert library.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]


def test_run_without_its_locks_writes_nothing_beside_a_second(library):
    """Only the session of the locks is ended; a second run starts while the first holds answers that it has not written."""
    second: list[RunReport] = []
    once = threading.Lock()

    def end_locks_and_run_again(inputs):
        if len(lml.asked) >= 6 and once.acquire(blocking=False):
            wait_for(lambda: len(library.steps("batch_done")) >= 2, "two written batches")
            library.end_lock_session("first")
            with serve_verdicts(all_single_artists) as other:
                second.append(LibraryIdentityRuns(library.postgres).run(other.url))
        return all_single_artists(inputs)

    with serve_verdicts(end_locks_and_run_again) as lml:
        first = library.run(lml.url, run_id="first")
        wait_for(lambda: second, "end of the second run")
    assert_stopped_without_its_locks(first)
    assert second[0].verdict == "done"
    assert first.counters.scanned + second[0].counters.scanned == 400  # each library is written once
    assert library.tallied("first") == first.counters.stored()
    assert library.rows("SELECT count(*) FROM library_identity") == [(400,)]
    assert library.rows("SELECT verdict FROM wxyc_assets.run WHERE run_id = 'first'") == [("failed",)]
