"""How a run ended: its verdict, its reason, its summary and the table of its outcomes."""

import pytest

from tests.wxyc_assets.assets.flowsheet_enrichment.harness import request
from wxyc_assets.assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.assets.flowsheet_enrichment.run_report import OUTCOMES, RunReport
from wxyc_assets.runs.findings import Finding

DONE = Counters(scanned=5, flipped=4, locked=1, chunks=1, paused_ms=60_000)


@pytest.mark.parametrize(
    ("state", "verdict", "reason"),
    [
        ({}, "done", ""),
        ({"findings": [Finding("waiting_left_zero", passed=False)]}, "anomaly", "failed checks: waiting_left_zero"),
        ({"findings": [Finding("x", passed=False, severity="WARN")]}, "done", ""),
        ({"refused": {2: "locked"}}, "failed", "shard 2: locked"),
        ({"stopped": "database: gone"}, "failed", "shard 1, 2: database: gone"),
        ({"refused": {2: "locked"}, "stopped": "gone"}, "failed", "shard 1: gone; shard 2: locked"),
        ({"lost": "the server went away"}, "failed", "the server went away"),
    ],
)
def test_verdict_and_reason_follow_from_what_went_wrong(state, verdict, reason):
    report = RunReport(request(shards=[1, 2]), **state)
    assert (report.verdict, report.reason) == (verdict, reason)


def test_outcome_table_lists_the_counters_above_0():
    table = OUTCOMES.markdown(DONE.stored())
    assert "| 4 | marked as enriched |" in table
    assert "| 1 | another session had it locked; still pending |" in table
    assert "overtaken" not in table
    assert "| 0 | no play waited |" in OUTCOMES.markdown(Counters().stored())


def test_summary_adds_up_the_shards():
    summary = RunReport(request(shards=[2, 1]), tallied={1: DONE, 2: DONE}).summary()
    assert (summary.partitions, summary.verdict, summary.reason) == (["1", "2"], "done", "")
    assert {"scanned": 10, "flipped": 8, "chunks": 2, "paused_ms": 120_000}.items() <= summary.totals.items()
