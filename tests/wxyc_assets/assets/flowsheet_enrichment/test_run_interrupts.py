"""Runs that lose their database, are killed, or meet an exception: what they committed stays and is counted exactly."""

import io
import signal

import pytest

from tests.outage import Outage
from tests.run_harness import assert_stopped_without_its_locks, child
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import FlowsheetEnrichmentRuns, request
from wxyc_assets.assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.assets.flowsheet_enrichment.run import run
from wxyc_assets.runs.progress import NoProgress

RUN_PROCESS = "tests.wxyc_assets.assets.flowsheet_enrichment.run_process"


def test_run_that_loses_its_sessions_keeps_what_it_committed(flowsheet, small_chunks):
    class KillSessions(NoProgress):
        def advance(self, _count):
            if len(flowsheet.steps("chunk_done")) == 3:
                flowsheet.kill_sessions()

    flowsheet.progress = KillSessions()
    report = flowsheet.run()
    assert report.verdict == "failed"
    assert "database: " in report.reason
    assert report.counters == Counters(scanned=150, flipped=150, chunks=3)
    assert len(flowsheet.waiting()) == 330
    assert flowsheet.rows("SELECT sum((counters->>'flipped')::int) FROM wxyc_assets.tally") == [(150,)]
    assert flowsheet.credited == []
    assert flowsheet.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]
    assert [line["step"] for line in flowsheet.lines[-2:]] == ["finished", "failed"]
    assert flowsheet.steps("post_pass_update_done") == []
    again = FlowsheetEnrichmentRuns(flowsheet.postgres).run()
    assert (again.verdict, again.counters.flipped) == ("done", 330)


def test_run_fails_during_an_outage_and_the_next_does_the_rest(flowsheet, server):
    outage = Outage(server.dsn("postgres"), flowsheet.postgres)

    class BeginOutage(NoProgress):
        def advance(self, _count):
            if len(flowsheet.steps("chunk_done")) == 3:
                outage.begin()

    flowsheet.progress, flowsheet.chunk_plays = BeginOutage(), 50
    try:
        report = flowsheet.run()
    finally:
        outage.end()
    assert report.verdict == "failed"
    assert (report.counters.scanned, report.counters.flipped) == (150, 150)
    assert [line["step"] for line in flowsheet.lines[-2:]] == ["finished", "failed"]
    assert flowsheet.credited == []
    assert flowsheet.rows("SELECT verdict, ended_at FROM wxyc_assets.run") == [(None, None)]
    assert flowsheet.rows("SELECT sum((counters->>'flipped')::int) FROM wxyc_assets.tally") == [(150,)]
    again = FlowsheetEnrichmentRuns(flowsheet.postgres).run()
    assert (again.verdict, again.counters.flipped, flowsheet.waiting()) == ("done", 330, set())


@pytest.mark.parametrize("last_step", ["chunk_done", "post_pass_update_done"])
def test_outage_after_the_last_chunk_only_fails_the_run(flowsheet, server, last_step):
    outage = Outage(server.dsn("postgres"), flowsheet.postgres)

    class BeginOutage(io.StringIO):
        def write(self, text):
            if f'"step":"{last_step}"' in text:
                outage.begin()
            return super().write(text)

    flowsheet.stream = BeginOutage()
    try:
        report = flowsheet.run()
    finally:
        outage.end()
    assert (report.verdict, "database: " in report.reason) == ("failed", True)
    assert report.counters.flipped == 480
    assert flowsheet.waiting() == set()
    again = FlowsheetEnrichmentRuns(flowsheet.postgres)
    assert (again.run().verdict, len(again.credited)) == ("done", 16)


def test_exception_while_crediting_fails_the_run_in_the_ledger(flowsheet):
    def refuse(_done):
        raise ConnectionError("Dagster's storage is gone")

    with pytest.raises(ConnectionError):
        run(request(run_id="uncredited"), flowsheet.tools("uncredited"), refuse)
    assert flowsheet.rows("SELECT verdict, reason FROM wxyc_assets.run") == [
        ("failed", "ConnectionError: Dagster's storage is gone")
    ]
    assert flowsheet.waiting() == set()


def test_tally_of_a_killed_run_counts_what_it_committed(flowsheet):
    """The next run marks the rest."""
    with child(RUN_PROCESS, flowsheet.postgres.dsn, "killed") as process:
        assert process.stderr is not None
        for line in process.stderr:
            if b'"chunk_index":20' in line:
                break
        process.kill()
        assert process.wait() == -signal.SIGKILL
    assert 100 <= 480 - len(flowsheet.waiting()) < 480
    flowsheet.wait_until_alone()
    marked = 480 - len(flowsheet.waiting())
    tallied = (
        "SELECT sum((counters->>'flipped')::int), bool_or(complete) FROM wxyc_assets.tally WHERE run_id = 'killed'"
    )
    assert flowsheet.rows(tallied) == [(marked, False)]
    report = flowsheet.run()
    assert (report.verdict, report.counters.flipped) == ("done", 480 - marked)
    assert flowsheet.waiting() == set()


def test_run_without_its_locks_marks_nothing_beside_a_second(flowsheet, small_chunks):
    """Only the session of the locks is ended; a second run starts before the first marks its fourth chunk."""
    second = []

    class EndLocks(NoProgress):
        def advance(self, _count):
            if len(flowsheet.steps("chunk_done")) == 3:
                flowsheet.end_lock_session("first")
                second.append(FlowsheetEnrichmentRuns(flowsheet.postgres).run())

    flowsheet.progress = EndLocks()
    first = flowsheet.run(run_id="first")
    assert_stopped_without_its_locks(first)
    assert first.counters == Counters(scanned=150, flipped=150, chunks=3)
    assert (second[0].verdict, second[0].counters.flipped) == ("done", 330)
    assert flowsheet.credited == []
