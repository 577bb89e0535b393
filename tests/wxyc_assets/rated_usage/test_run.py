"""Runs over hours: what is kept when one fails, who waits for whom, and what is said, at which level."""

import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest

from resources.price_file import PriceFileError
from tests.outage import Outage
from tests.station_runs import Told
from tests.wxyc_assets.rated_usage import oracle
from tests.wxyc_assets.rated_usage.billing import HOUR, TEN, B, event, wait_until_blocked
from tests.wxyc_assets.rated_usage.oracle import Prices
from wxyc_assets.rated_usage.lanes import LANES
from wxyc_assets.rated_usage.windows import key
from wxyc_assets.revision import MigrationError
from wxyc_assets.sandbox.generator import generate_billing_events
from wxyc_assets.single_flight import held_units, run_locks, run_unit, unit

WINDOW = "[2026-06-08T10:00:00Z,2026-06-08T11:00:00Z)"
OVERFLOWS = "9999999999.9"


def add_hours(billing, hours, **columns):
    """An event in each of some hours from ten on."""
    billing.add(*(event(event_ts=TEN + place * HOUR, **columns) for place in range(hours)))


def billed_hours(billing):
    return {row[3] for row in billing.billed()}


def held_locks(billing):
    """How many advisory locks anybody holds in this database."""
    query = (
        "SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return billing.query(query)[0]["held"]


def test_each_hour_is_credited_once_with_its_own_numbers(billing):
    add_hours(billing, 3)
    report = billing.run(hours=3)
    assert report.verdict == "done"
    assert sorted(done.hour for done in billing.credited) == [key(TEN + place * HOUR) for place in range(3)]
    assert {done.rated.counters.events for done in billing.credited} == {1}
    assert {done.price_digest for done in billing.credited} == {billing.book.digest}
    assert (report.total.counters.events_rated, str(report.total.total_cost)) == (3, "0.001500000")
    assert [line["hour"] for line in billing.steps("hour_rated")] == [done.hour for done in billing.credited]
    (row,) = billing.query("SELECT * FROM wxyc_assets.run")
    assert (row["run_id"], row["origin"], row["verdict"], row["reason"]) == (
        report.request.run_id,
        "explicit",
        "done",
        None,
    )


def test_a_failure_at_hour_17_of_24_keeps_16_and_rates_the_rest_and_says_which_and_why(billing):
    billing.prices = Prices({**B.base_models, "huge": (OVERFLOWS, "0", "0")})
    add_hours(billing, 24)
    billing.add(event("huge", (2**31 - 1, 0, 0), event_ts=TEN + 16 * HOUR))
    seen = []
    billing.on_done = lambda done: seen.append((done.hour, done.hour in {key(hour) for hour in billed_hours(billing)}))
    report = billing.run(hours=24)
    seventeenth = key(TEN + 16 * HOUR)
    # Each was there for all to see when it was credited.
    assert sorted(seen) == [(key(TEN + place * HOUR), True) for place in range(24) if place != 16]
    assert billed_hours(billing) == {TEN + place * HOUR for place in range(24) if place != 16}
    assert report.verdict == "failed"
    assert report.reason.startswith(f"hour {seventeenth}: database: NumericValueOutOfRange: numeric field overflow")
    assert [line["hour"] for line in billing.steps("hour_failed")] == [seventeenth]
    assert len(billing.steps("failed")) == 1
    assert next(finding for finding in report.findings if finding.name == "accounting_holds").passed


def test_without_usable_prices_nothing_is_rated_and_every_problem_is_told(billing):
    add_hours(billing, 2)
    billing.run()
    before = billing.stored_exactly()
    billing.prices = Prices({"b": ("-1", "1e-6", "0.000001")})
    with pytest.raises(PriceFileError) as refused:
        billing.run(hours=2)
    assert len(refused.value.problems) == 2
    assert billing.stored_exactly() == before
    assert billing.query("SELECT verdict FROM wxyc_assets.run ORDER BY started_at")[-1]["verdict"] == "failed"
    assert all(problem in billing.steps("failed")[0]["error_message"] for problem in refused.value.problems)


def test_a_station_without_our_schema_is_told_to_migrate(billing):
    billing.execute("DELETE FROM wxyc_assets.alembic_version")
    with pytest.raises(MigrationError):
        billing.run()


@pytest.mark.parametrize("origin", ["routine", "explicit"])
@pytest.mark.parametrize("deletes", [False, True])
@pytest.mark.parametrize("anomalous", [False, True])
def test_a_run_ends_as_the_decision_table_says(billing, origin, deletes, anomalous):
    billing.add(event(request_id="one"), event(resource_id="stays"))
    billing.run()
    if deletes:
        billing.execute("DELETE FROM billing_event WHERE request_id = 'one'")
    if anomalous:
        billing.add(event("nobody-knows-it"))
    report = billing.run(origin=origin)
    assert report.verdict == report.ruling.verdict
    assert report.verdict == ("anomaly" if anomalous or (deletes and origin == "routine") else "done")
    failed = {finding.name for finding in report.findings if not finding.passed and finding.severity == "ERROR"}
    assert failed == ({"unpriced_zero"} if anomalous else set()) | (
        {"reconciled_deletions"} if deletes and origin == "routine" else set()
    )
    levels = {line["step"]: line["level"] for line in billing.lines}
    assert levels["summary"] == ("error" if anomalous else "info")
    assert levels["hour_rated"] == (
        "error" if deletes and origin == "routine" else "info"
    )  # a kill would spare the rest
    assert levels.get("reconcile") == (None if not deletes else "error" if origin == "routine" else "info")
    assert len(billing.billed()) == (1 if deletes else 2)


def test_trouble_is_said_in_the_predecessors_order_words_and_levels_each_with_the_window(billing):
    billing.prices = Prices({"one": ("0.000001",) * 3, "two": ("0.000002",) * 3})
    billing.add(event("one", request_id="gone", resource_id="gone"))
    billing.run()
    billing.execute("DELETE FROM billing_event")
    billing.add(event("one", (5, 0, 0)), event(None), event("nobody-knows-it"), event("nobody-knows-it"))
    billing.add(*(event("ft:x", base_model=base) for base in ("one", "two", "two")))
    billing.stream.truncate(0)
    billing.stream.seek(0)
    billing.run(origin="routine")
    said = [(line["step"], line["level"], line["message"]) for line in billing.lines if WINDOW in line["message"]]
    assert said == [
        ("ambiguous_base", "error", f"3 AMBIGUOUS-BASE events were left out in {WINDOW}"),
        ("unattributable", "error", f"1 UNATTRIBUTABLE billing_event rows in {WINDOW}"),
        ("unpriced", "error", f"2 UNPRICED events in {WINDOW}"),
        ("reconcile", "error", f"ROUTINE run: reconcile DELETED 1 rows in {WINDOW}"),
        (
            "summary",
            "error",
            (
                "rated 1 events into 1 rollups, total=0.000005000 USD, unpriced_events=2, "
                f"unattributable_events=1, ambiguous_base_events=3 in {WINDOW}"
            ),
        ),
    ]
    assert [line["count"] for line in billing.lines if "count" in line] == [3, 1, 2, 1]


def test_a_calm_run_says_its_total_and_an_explicit_deletion_as_information(billing):
    billing.add(event())
    billing.run()
    billing.execute("DELETE FROM billing_event")
    billing.run()
    assert [line["level"] for line in billing.lines if line["level"] != "info"] == []
    assert billing.steps("reconcile")[0]["message"] == f"EXPLICIT backfill: reconcile DELETED 1 rows in {WINDOW}"
    messages = [line["message"] for line in billing.steps("summary")]
    assert messages == [
        f"rated 1 events into 1 rollups, total=0.000500000 USD in {WINDOW}",
        f"rated 0 events into 0 rollups, total=0.000000000 USD in {WINDOW}",
    ]


def test_late_events_are_billed_in_the_hour_in_which_they_happened(billing):
    assert billing.run(TEN - 23 * HOUR, hours=25).total.counters.events == 0
    billing.add(event(event_ts=TEN + timedelta(minutes=1), created_at=TEN + 30 * HOUR))
    assert billing.run(TEN - 23 * HOUR, hours=25).total.counters.rows_inserted == 1
    assert billed_hours(billing) == {TEN}


def test_a_plan_gives_the_numbers_of_the_run_that_follows_hour_by_hour_and_leaves_nothing(billing):
    add_hours(billing, 4)
    billing.run(hours=4)
    add_hours(billing, 2, resource_id="new")
    billing.execute("DELETE FROM billing_event WHERE event_ts = %s", [TEN + 3 * HOUR])
    billing.prices = Prices({"b": ("0.000006", "0", "0")})
    tables = "rated_usage", "wxyc_assets.usage_change", "wxyc_assets.tally", "wxyc_assets.run"
    before = [billing.query(f"SELECT ctid::text, * FROM {table} t ORDER BY 1") for table in tables]
    credited = len(billing.credited)
    plan = billing.run(hours=4, dry_run=True)
    assert [billing.query(f"SELECT ctid::text, * FROM {table} t ORDER BY 1") for table in tables] == before
    assert len(billing.credited) == credited
    assert billing.steps("reconcile")[-1]["message"].startswith("plan: reconcile would delete 1 rows")
    assert billing.steps("summary")[-1]["message"].startswith("plan: would rate")
    real = billing.run(hours=4)
    assert plan.plan == real.plan
    total = {name: str(number) for name, number in plan.plan["total"].items()}
    assert (total["rows_inserted"], total["rows_changed"], total["reconciled_deletions"]) == ("2", "3", "1")
    assert (total["cost_before"], total["cost_moved"], total["total_cost"]) == (
        "0.002000000",
        "0.001000000",
        "0.003000000",
    )


def test_a_plan_of_a_routine_run_that_would_delete_is_no_anomaly_yet(billing):
    billing.add(event())
    billing.run()
    billing.execute("DELETE FROM billing_event")
    report = billing.run(dry_run=True, origin="routine")
    assert report.verdict == "done"
    assert {line["level"] for line in billing.steps("hour_rated")} == {"info"}
    assert "reconciled_deletions" not in {finding.name for finding in report.findings}


def test_hours_that_somebody_holds_are_refused_by_name_and_the_others_rated_with_one_patience_for_all(billing):
    add_hours(billing, 6)
    billing.unit_wait_s = 0.5
    with run_locks(billing.postgres, "the-other") as locks:
        locks.take([unit("rated_usage", key(TEN + place * HOUR)) for place in (1, 2, 4)])
        began = time.monotonic()
        report = billing.run(hours=6)
        waited_s = time.monotonic() - began
    assert 0.4 < waited_s < 5
    assert billed_hours(billing) == {TEN + place * HOUR for place in (0, 3, 5)}
    assert set(report.refused) == {key(TEN + place * HOUR) for place in (1, 2, 4)}
    assert (
        "2026-06-08-11:00 to 2026-06-08-12:00, 2026-06-08-14:00: being worked on by wxyc_assets run the-other"
        in report.reason
    )
    assert report.verdict == "failed"
    assert billing.steps("unit_wait")
    assert billing.run(hours=6).verdict == "done"


def test_a_run_waits_for_an_hour_that_becomes_free(billing):
    add_hours(billing, 1)
    billing.unit_wait_s = 30
    with ThreadPoolExecutor(1) as elsewhere, run_locks(billing.postgres, "the-other") as locks:
        locks.take([unit("rated_usage", key(TEN))])
        running = elsewhere.submit(billing.run)
        wait_until_blocked(billing.postgres, locks._connection)
        locks.release(unit("rated_usage", key(TEN)))
        assert running.result(timeout=20).verdict == "done"


def test_a_run_holds_one_hour_a_lane_so_that_a_year_fits(billing):
    add_hours(billing, 9)
    held = []
    billing.on_done = lambda _done: held.append(held_locks(billing))
    billing.run(hours=9)
    assert max(held) <= 1 + LANES  # the lock on its own run id, and an hour a lane
    assert held_locks(billing) == 0


def test_a_run_holds_the_lock_of_an_hour_while_it_rates_it(billing):
    billing.add(event())
    billing.run()
    billing.add(event())
    with billing.postgres.connect() as stranger, ThreadPoolExecutor(1) as elsewhere:
        with stranger.transaction():
            stranger.execute("UPDATE rated_usage SET cost = 77")
            running = elsewhere.submit(billing.run, run_id="the-one")
            wait_until_blocked(billing.postgres, stranger)
            assert held_units(stranger, [unit("rated_usage", key(TEN)), run_unit("the-one")]) == {
                unit("rated_usage", key(TEN)),
                run_unit("the-one"),
            }
            assert "wxyc_assets run the-one" in billing.run().reason
        running.result(timeout=20)


def test_sessions_that_are_ended_cost_no_more_than_the_hours_they_were_at(billing):
    add_hours(billing, 80)
    end = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'wxyc_assets run the-one' AND datname = current_database()"
    )
    billing.on_done = lambda _done: billing.execute(end) if len(billing.credited) == 1 else None
    report = billing.run(hours=80, run_id="the-one")
    missed = set(report.failed)
    assert 1 <= len(missed) <= LANES
    assert report.verdict == "failed"
    assert "database: " in report.reason
    # A session may die after its commit and before it hears of it.
    assert {key(hour) for hour in billed_hours(billing)} >= set(report.request.hours) - missed
    assert set(report.done) == set(report.request.hours) - missed
    billing.on_done = lambda _done: None
    assert billing.run(hours=80).total.counters.rollups_written == len(billing.changes()) == 80


def test_a_database_that_goes_away_keeps_what_was_committed_and_the_run_names_the_rest(billing, server):
    add_hours(billing, 30)
    outage = Outage(server.dsn("postgres"), billing.postgres)
    billing.on_done = lambda _done: outage.begin() if len(billing.credited) == 2 else None
    report = billing.run(hours=30)
    outage.end()
    assert report.verdict == "failed"
    assert len(report.failed) > 10
    assert set(report.done) | set(report.failed) == set(report.request.hours)
    assert set(report.done) <= {key(hour) for hour in billed_hours(billing)}
    assert len(report.reason) < 2000
    billing.on_done = lambda _done: None
    again = billing.run(hours=30).total.counters
    assert (again.rollups_written, again.rows_inserted + again.rows_unchanged) == (30, 30)
    assert len(billing.changes()) == 30


def test_a_run_that_is_interrupted_stops_its_lanes_and_keeps_what_is_committed(billing):
    add_hours(billing, 200)

    def interrupt(_done):
        raise KeyboardInterrupt

    billing.on_done = interrupt
    with pytest.raises(KeyboardInterrupt):
        billing.run(hours=200)
    assert 1 <= len(billed_hours(billing)) < 100
    assert (held_locks(billing), [t for t in threading.enumerate() if t.name == "lane"]) == (0, [])
    assert billing.query("SELECT verdict FROM wxyc_assets.run")[0]["verdict"] == "failed"


def test_a_person_who_watches_sees_how_many_hours_are_done(billing):
    billing.progress = Told()
    billing.run(hours=3)
    assert billing.progress.told == [("rated_usage", 3, "hours"), 1, 1, 1, "finish"]


def test_a_stranger_who_writes_the_same_rows_is_waited_for_and_what_he_wrote_is_kept_as_before(billing):
    billing.add(event())
    billing.run()
    billing.add(event())
    with billing.postgres.connect() as stranger, ThreadPoolExecutor(1) as elsewhere:
        with stranger.transaction():
            stranger.execute("UPDATE rated_usage SET cost = 77")
            running = elsewhere.submit(billing.run)
            wait_until_blocked(billing.postgres, stranger)
        assert running.result(timeout=20).verdict == "done"
    assert billing.slept == [0.1]
    assert billing.changes()[-1]["cost_before"] == "77.000000000"


@pytest.mark.parametrize(("origin", "verdict"), [("routine", "anomaly"), ("explicit", "done")])
def test_hours_that_are_late_fail_a_routine_run_only(billing, origin, verdict):
    billing.now = TEN + 5 * HOUR
    report = billing.run(origin=origin, trailing=3)  # of 12 to 15, only the first is due
    late = next(finding for finding in report.findings if finding.name == "trailing_hours_rated")
    assert (late.passed, late.numbers["late_hours"], report.verdict) == (True, 0, "done")
    billing.now = TEN + 5 * HOUR + timedelta(seconds=1)
    report = billing.run(origin=origin, trailing=3)
    late = next(finding for finding in report.findings if finding.name == "trailing_hours_rated")
    assert (late.passed, report.verdict) == (False, verdict)
    assert "2026-06-08-12:00" in late.description
    billing.run(TEN + 2 * HOUR)
    assert billing.run(origin=origin, trailing=3).verdict == "done"


def test_work_without_charge_only_warns(billing):
    billing.prices = Prices({"b": ("0", "0", "0.1")})
    billing.add(event())
    report = billing.run()
    assert report.verdict == "done"
    assert [finding.name for finding in report.findings if not finding.passed] == ["work_without_charge"]


def start(billing, first, hours, rounds=1):
    """A run in a process of its own."""
    command = [sys.executable, "-m", "tests.wxyc_assets.rated_usage.a_run", billing.postgres.dsn, str(billing.folder)]
    return subprocess.Popen(
        [*command, key(first), str(hours), str(rounds)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )


def test_a_run_that_is_killed_has_whole_hours_only_and_keeps_nobody_from_the_rest(billing):
    with billing.postgres.connect() as connection:
        generate_billing_events(connection, 40_000, first_instant=TEN, hours=40, accounts=300, models={"b": None})
    assert billing.price_file.exists()
    running = start(billing, TEN, 40)
    for _ in range(5):
        assert running.stdout.readline()
    running.send_signal(signal.SIGKILL)
    running.communicate()
    events = billing.query("SELECT * FROM billing_event")
    done = {row["partition_key"] for row in billing.query("SELECT partition_key FROM wxyc_assets.tally WHERE complete")}
    assert 5 <= len(done) < 40
    assert {key(hour) for hour in billed_hours(billing)} == done
    for hour in billed_hours(billing):
        expected = oracle.rate(events, billing.prices, hour, hour + HOUR).rows
        assert {key: row for key, row in billing.billed().items() if key[3] == hour} == expected
    assert len(billing.changes()) == len(billing.billed())
    report = billing.run(hours=40)
    assert report.verdict == "done"
    assert billing.billed() == oracle.rate(events, billing.prices, TEN, TEN + 40 * HOUR).rows
    assert report.total.counters.rows_unchanged + report.total.counters.rows_inserted == len(billing.billed())


def test_eight_raters_over_overlapping_windows_all_finish_and_bill_every_row_once(billing):
    with billing.postgres.connect() as connection:
        generate_billing_events(connection, 20_000, first_instant=TEN, hours=20, accounts=150, models={"b": None})
    assert billing.price_file.exists()
    raters = [start(billing, TEN + place % 4 * 2 * HOUR, 14, rounds=4) for place in range(8)]
    with ExitStack() as stack:
        for rater in raters:
            stack.callback(rater.kill)
        credited = [rater.communicate(timeout=120)[0].splitlines() for rater in raters]
    assert [rater.returncode for rater in raters] == [0] * 8
    assert [len(hours) for hours in credited] == [4 * 14] * 8
    assert (
        billing.billed()
        == oracle.rate(billing.query("SELECT * FROM billing_event"), billing.prices, TEN, TEN + 20 * HOUR).rows
    )
    assert len(billing.changes()) == len(billing.billed())
