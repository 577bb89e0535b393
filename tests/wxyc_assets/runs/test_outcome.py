"""The verdict of a run (failed, anomaly or done) and its reason in one sentence."""

import pytest

from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.outcome import RunOutcome, RunRequest, ShardRequest

FAILED = Finding("a_check", passed=False)
WARNED = Finding("a_warning", passed=False, severity="WARN")


class Report(RunOutcome):
    """A report with the given properties."""

    totals, broken, uncredited, total_failure, missed = {"scanned": 3}, {}, {}, "", ""

    def __init__(self, *, refused=None, findings=(), lost="", **properties):
        request = ShardRequest("a run", "explicit", [7, 4])
        super().__init__(request=request, refused=refused or {}, findings=list(findings), lost=lost)
        vars(self).update(properties)


@pytest.mark.parametrize(
    ("report", "verdict", "reason"),
    [
        (Report(), "done", ""),
        (Report(findings=[WARNED]), "done", ""),
        (Report(findings=[FAILED, WARNED]), "anomaly", "failed checks: a_check"),
        (Report(missed="3 left out"), "anomaly", "3 left out"),
        (Report(uncredited={4: "nothing came"}), "anomaly", "shard 4: nothing came"),
        (Report(uncredited={4: "nothing"}, missed="9"), "anomaly", "shard 4: nothing"),
        (Report(refused={7: "locked"}), "failed", "shard 7: locked"),
        (Report(broken={2: "gone", 3: "gone"}), "failed", "shard 2, 3: gone"),
        (Report(lost="the server went away"), "failed", "the server went away"),
        (Report(total_failure="no call was answered", uncredited={1: "x"}), "failed", "no call was answered"),
        (
            Report(refused={7: "locked"}, broken={2: "gone"}, uncredited={4: "x"}, lost="away", findings=[FAILED]),
            "failed",
            "shard 2: gone; shard 7: locked; away; failed checks: a_check",
        ),
    ],
)
def test_the_verdict_and_its_reason_follow_from_what_went_wrong(report, verdict, reason):
    assert (report.verdict, report.reason) == (verdict, reason)


def test_every_partition_that_is_not_credited_has_a_problem():
    report = Report(refused={7: "locked"}, broken={2: "gone"}, uncredited={4: "nothing came"})
    assert report.problems == {7: "locked", 2: "gone", 4: "nothing came"}


def test_partition_noun_is_that_of_the_asset():
    class Hours(Report):
        PARTITION_NOUN = "hour"

    assert Hours(refused={"2026-05-01-13:00": "locked"}).reason == "hour 2026-05-01-13:00: locked"


def test_summary_holds_what_the_command_line_prints():
    summary = Report(missed="3 left out", findings=[WARNED]).summary()
    assert (summary.partitions, summary.totals) == (["4", "7"], {"scanned": 3})
    assert (summary.dry_run, summary.dry_run_report) == (False, None)
    assert (summary.verdict, summary.reason, summary.findings) == ("anomaly", "3 left out", [WARNED])


def test_a_request_names_its_partitions_in_order():
    assert ShardRequest("a run", "explicit", [10, 9], dry_run=True).partitions == ["9", "10"]
    assert RunRequest("a run", "routine").partitions == []
