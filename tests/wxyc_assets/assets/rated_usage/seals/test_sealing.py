"""Sealed hours are chained in order, stay as they are whatever arrives, and are opened only with a reason."""

import multiprocessing
import time
from datetime import timedelta

import pytest

from tests.waiting import wait_for
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from tests.wxyc_assets.assets.rated_usage.seals.conftest import NEXT_WEEK
from wxyc_assets.assets.rated_usage.seals.sealing import SealError, SealRequest, hours_to_seal, seal
from wxyc_assets.assets.rated_usage.unbilled.search import search_window
from wxyc_assets.runs.partitions import hour_key

_spawn = multiprocessing.get_context("spawn")


def test_hours_are_sealed_once_and_chained_in_order(seals):
    seals.rate()
    first = seals.seal(2)
    assert [(entry.hour, entry.made_by) for entry in first] == [(TEN, "finance"), (TEN + HOUR, "finance")]
    (last,) = seals.seal(3)
    assert last.previous == first[1].digest
    assert first[0].state.event_count == 2
    assert (first[0].state.row_count, first[0].state.cost) == (2, "0.002730000")
    assert seals.seal(3) == []


def test_dry_run_seals_nothing(seals):
    seals.rate()
    assert len(seals.seal(dry_run=True)) == 3
    assert seals.billing.query("SELECT * FROM wxyc_assets.seal") == []


def test_trailing_hours_cannot_be_sealed(seals):
    seals.rate()
    with pytest.raises(SealError, match="still rated every hour"):
        seals.seal(7 * 24)


def test_sealing_stops_at_the_first_hour_never_rated(seals):
    seals.rate(2)
    with pytest.raises(SealError, match=r"2026-06-08-12:00 was never rated: `wxyc run rated_usage --since"):
        seals.seal(3)
    assert len(seals.billing.query("SELECT * FROM wxyc_assets.seal")) == 2


def test_late_event_blocks_until_it_is_billed_or_accepted(seals):
    seals.rate()
    seals.billing.add(event("b", event_ts=TEN, created_at=TEN + timedelta(days=2)))
    with pytest.raises(SealError, match="events that no rating has seen"):
        seals.seal()
    assert seals.accept(hour_key(TEN)) == [hour_key(TEN)]
    first, *_ = seals.seal()
    assert (first.state.accepted_rows, first.state.accepted_cost) == (1, "0.000500000")
    assert seals.verify() == ([], [])


def test_hour_that_is_not_what_its_events_cost_is_refused(seals):
    seals.rate()
    seals.billing.execute("UPDATE rated_usage SET cost = cost + 1 WHERE auth_id = 'c' AND window_start = %s", [TEN])
    with pytest.raises(SealError, match=r"b of c on r: billed 1\.001365000 USD, its events cost 0\.001365000 USD"):
        seals.seal()


@pytest.mark.parametrize("origin", ["routine", "explicit"])
@pytest.mark.parametrize("change", ["late event", "deleted event", "prices"])
def test_no_run_changes_a_sealed_hour(seals, origin, change):
    seals.rate()
    seals.seal(2)
    before, kept = seals.billing.stored_exactly(), seals.billing.changes()
    match change:
        case "late event":
            seals.billing.add(event("b", event_ts=TEN, created_at=TEN + timedelta(days=2)))
        case "deleted event":
            seals.billing.execute("DELETE FROM billing_event WHERE auth_id = 'a' AND event_ts = %s", [TEN])
        case "prices":
            seals.billing.prices = Prices({"b": ("0.000006", "0.0000005", "0.00002")})
    report = seals.billing.run(hours=2, origin=origin)
    assert seals.billing.stored_exactly() == before
    assert seals.billing.changes() == kept
    changed = [TEN, TEN + HOUR] if change == "prices" else [TEN]
    assert [each["hour"] for each in report.follow_up["adjustments"]] == [hour_key(hour) for hour in changed]
    assert report.verdict == "anomaly"
    assert "sealed, and keeps its bill" in report.reason
    (found,) = (each for each in report.findings if each.name == "sealed_hours_stand")
    assert (found.passed, sorted(found.by_partition)) == (False, [hour_key(hour) for hour in changed])
    assert {done.hour for done in seals.billing.credited[-2:]} >= {hour_key(TEN + HOUR)} - set(map(hour_key, changed))
    assert not [each for each in report.findings if each.name == "accounting_holds" and not each.passed]


def test_plan_of_a_sealed_hour_equals_its_run(seals):
    seals.rate()
    seals.seal()
    seals.billing.add(event("b", event_ts=TEN, created_at=TEN + timedelta(days=2)))
    plan, run = seals.billing.run(dry_run=True), seals.billing.run()
    assert plan.sealed == run.sealed
    assert list(plan.plan["sealed_hours"]) == [hour_key(TEN)]


def test_unchanged_sealed_hour_is_credited_again(seals):
    seals.rate()
    seals.seal()
    report = seals.billing.run(hours=3)
    assert (report.verdict, len(report.done), report.sealed) == ("done", 3, {})


def test_reopened_hour_is_rated_and_sealed_again(seals):
    seals.rate()
    seals.seal()
    seals.billing.add(event("b", event_ts=TEN, created_at=TEN + timedelta(days=2)))
    (opened,) = seals.reopen(TEN)
    assert (opened.kind, opened.reason) == ("reopen", "a credit")
    assert seals.billing.run().total.counters.rows_changed == 1
    (again,) = seals.seal()
    assert again.state.event_count == 3
    assert seals.verify() == ([], [])
    with pytest.raises(SealError, match="not sealed: no hour was opened"):
        seals.reopen(TEN, TEN + 20 * HOUR)
    assert seals.seal() == []


def _seal_slowly(postgres, ready):
    request = SealRequest(TEN + 12 * HOUR, search_window(NEXT_WEEK, 24, TEN), "another")
    with postgres.connect() as connection:
        found = hours_to_seal(connection, request)
    ready.set()
    for _ in seal(postgres, found, request):
        time.sleep(0.2)


def test_killed_process_leaves_a_chain_that_goes_on(seals):
    seals.rate(hours=12, customers=("a", "c", "d"))
    ready = _spawn.Event()
    process = _spawn.Process(target=_seal_slowly, args=(seals.postgres, ready), daemon=True)
    process.start()
    assert ready.wait(120)
    wait_for(lambda: seals.billing.query("SELECT * FROM wxyc_assets.seal"), "first seal")
    process.kill()
    process.join()
    seals.seal(12)
    found = seals.billing.query("SELECT window_start FROM wxyc_assets.seal ORDER BY seal_id")
    assert [row["window_start"] for row in found] == [TEN + place * HOUR for place in range(12)]
    assert seals.verify(12) == ([], [])
