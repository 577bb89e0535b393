"""How a pass judges itself."""

import pytest

from tests.wxyc_assets.flowsheet_enrichment.passes import request
from wxyc_assets.finding import Finding
from wxyc_assets.flowsheet_enrichment.run_report import RunReport


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
def test_a_pass_fails_when_it_could_not_do_its_job_and_is_an_anomaly_when_someone_must_look(state, verdict, reason):
    report = RunReport(request(shards=[1, 2]), **state)
    assert (report.verdict, report.reason) == (verdict, reason)
