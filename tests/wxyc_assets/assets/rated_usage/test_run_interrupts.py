"""Runs that are killed or interrupted, or that lose their sessions or their database."""

import signal
import threading

import pytest

from tests.outage import Outage
from tests.wxyc_assets.assets.rated_usage import oracle
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, add_hours, billed_hours, held_locks, rating_process
from wxyc_assets.runs.lanes import LANES
from wxyc_assets.runs.partitions import hour_key
from wxyc_assets.sandbox.generator import generate_billing_events


def test_lost_sessions_lose_only_the_hours_in_progress(billing):
    """A session can be lost after its commit and before the acknowledgement. The session of the run's own lock lives."""
    add_hours(billing, 80)
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'wxyc_assets run the-one' AND datname = current_database() AND pid NOT IN "
        "(SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND (classid::bigint << 32 | objid::bigint) "
        "= hashtextextended('wxyc_assets/run/the-one', 0))"
    )
    billing.on_done = lambda _done: billing.execute(end) if len(billing.credited) == 1 else None
    report = billing.run(hours=80, run_id="the-one")
    missed = set(report.failed)
    assert 1 <= len(missed) <= LANES
    assert report.verdict == "failed"
    assert "database: " in report.reason
    assert {hour_key(hour) for hour in billed_hours(billing)} >= set(report.request.hours) - missed
    assert set(report.done) == set(report.request.hours) - missed
    billing.on_done = lambda _done: None
    assert billing.run(hours=80).total.counters.rollups_written == len(billing.changes()) == 80


def test_a_lost_database_fails_the_hours_that_are_not_committed(billing, server):
    add_hours(billing, 30)
    outage = Outage(server.dsn("postgres"), billing.postgres)
    billing.on_done = lambda _done: outage.begin() if len(billing.credited) == 2 else None
    report = billing.run(hours=30)
    outage.end()
    assert report.verdict == "failed"
    assert len(report.failed) > 10
    assert set(report.done) | set(report.failed) == set(report.request.hours)
    assert set(report.done) <= {hour_key(hour) for hour in billed_hours(billing)}
    assert len(report.reason) < 2000
    billing.on_done = lambda _done: None
    again = billing.run(hours=30).total.counters
    assert (again.rollups_written, again.rows_inserted + again.rows_unchanged) == (30, 30)
    assert len(billing.changes()) == 30


def test_an_interrupted_run_stops_its_lanes_and_keeps_its_hours(billing):
    add_hours(billing, 200)

    def interrupt(_done):
        raise KeyboardInterrupt

    billing.on_done = interrupt
    with pytest.raises(KeyboardInterrupt):
        billing.run(hours=200)
    assert 1 <= len(billed_hours(billing)) < 100
    assert (held_locks(billing), [t for t in threading.enumerate() if t.name == "lane"]) == (0, [])
    assert billing.query("SELECT verdict FROM wxyc_assets.run")[0]["verdict"] == "failed"


def test_a_killed_run_leaves_whole_hours_and_no_locks(billing):
    """The next run rates the rest."""
    with billing.postgres.connect() as connection:
        generate_billing_events(connection, 40_000, first_instant=TEN, hours=40, accounts=300, models={"b": None})
    assert billing.price_file.exists()
    with rating_process(billing, TEN, 40) as rater:
        assert rater.stdout
        for _ in range(5):
            assert rater.stdout.readline()
        rater.send_signal(signal.SIGKILL)
        rater.communicate()
    events = billing.query("SELECT * FROM billing_event")
    done = {row["partition_key"] for row in billing.query("SELECT partition_key FROM wxyc_assets.tally WHERE complete")}
    assert 5 <= len(done) < 40
    assert {hour_key(hour) for hour in billed_hours(billing)} == done
    for hour in billed_hours(billing):
        expected = oracle.rate(events, billing.prices, hour, hour + HOUR).rows
        assert {key: row for key, row in billing.billed().items() if key[3] == hour} == expected
    assert len(billing.changes()) == len(billing.billed())
    report = billing.run(hours=40)
    assert report.verdict == "done"
    assert billing.billed() == oracle.rate(events, billing.prices, TEN, TEN + 40 * HOUR).rows
    assert report.total.counters.rows_unchanged + report.total.counters.rows_inserted == len(billing.billed())
