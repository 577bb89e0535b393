"""How a run ended: its verdict, its reason, its summary and the table of its outcomes."""

import pytest

from tests.wxyc_assets.assets.library_identity.harness import request
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.run_report import OUTCOMES, RunReport
from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.shard_drain import ShardDone

GOOD = Counters(scanned=4, resolved=4)
DOWN = Counters(scanned=4, lml_error=4)
SOME = Counters(scanned=4, resolved=3, lml_error=1)


def report(*done, **fields):
    return RunReport(request(), done=[ShardDone(*one) for one in done], **fields)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (report((0, GOOD, 4), (1, Counters(), 0)), "done"),
        (report(), "done"),
        (report((0, SOME, 4)), "anomaly"),
        (report((0, DOWN, 4), (1, GOOD, 4)), "anomaly"),
        (report((0, GOOD, 4), findings=[Finding("x", passed=False)]), "anomaly"),
        (report((0, GOOD, 4), findings=[Finding("x", passed=False, severity="WARN")]), "done"),
        (report((0, DOWN, 4), (1, Counters(), 0)), "failed"),
        (report((0, GOOD, 4), (1, GOOD, 4, "database: gone")), "failed"),
        (report((0, GOOD, 4), refused={1: "locked"}), "failed"),
        (report((0, GOOD, 4), lost="database: gone"), "failed"),
    ],
)
def test_verdict_follows_from_shards_findings_and_losses(made, verdict):
    assert made.verdict == verdict
    assert bool(made.reason) == (verdict != "done")


def test_reason_names_uncredited_shards_and_counts_losses():
    made = report((0, DOWN, 4), (1, GOOD, 4), (2, GOOD, 4, "database: gone"))
    assert made.problems == {0: "LML answered nothing", 2: "database: gone"}
    assert report((0, DOWN, 4), (1, GOOD, 4)).reason == "shard 0: LML answered nothing"
    assert report((0, SOME, 4)).reason == "LML did not answer for 1 libraries"


def test_counters_include_broken_shards():
    assert report((0, GOOD, 4), (1, SOME, 9, "database: gone")).counters == GOOD + SOME


def test_outcome_table_lists_the_counters_above_0():
    counters = Counters(scanned=7, resolved=4, unresolved=2, writer_error=1, lml_total_latency_ms=9)
    table = OUTCOMES.markdown(counters.stored()).splitlines()
    assert table[:2] == ["| libraries | outcome |", "|---:|---|"]
    assert [row.split("|")[1].strip() for row in table[2:]] == ["4", "2", "1"]
    assert OUTCOMES.markdown(Counters().stored()).splitlines()[2:] == ["| 0 | no library was eligible |"]


def test_summary_has_the_contracts_totals():
    done = [ShardDone(2, Counters(scanned=3, resolved=3), 3)]
    real = RunReport(request(shards=[2, 1]), done=done).summary()
    dry = RunReport(request(shards=[2, 1], dry_run=True), done=done, dry_run_report={"would_resolve": 3}).summary()
    assert (real.partitions, real.totals["rows_resolved"], real.verdict) == (["1", "2"], 3, "done")
    assert (real.dry_run, real.dry_run_report) == (False, None)
    assert (dry.totals, dry.dry_run_report) == (real.totals, {"would_resolve": 3})
