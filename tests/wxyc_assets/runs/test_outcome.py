"""What follows from what went wrong: could not work, done with something to look at, or done; and why, in one sentence."""

import pytest

from wxyc_assets.finding import Finding
from wxyc_assets.run_outcome import RunOutcome

FAILED = Finding("a_check", passed=False)
WARNED = Finding("a_warning", passed=False, severity="WARN")


class Report(RunOutcome):
    """A report that says what it is told to."""

    broken, uncredited, in_vain, missed = {}, {}, "", ""

    def __init__(self, *, refused=None, findings=(), lost="", **said):
        super().__init__(refused=refused or {}, findings=list(findings), lost=lost)
        vars(self).update(said)


@pytest.mark.parametrize(
    ("report", "verdict", "reason"),
    [
        (RunOutcome(), "done", ""),
        (Report(), "done", ""),
        (Report(findings=[WARNED]), "done", ""),
        (Report(findings=[FAILED, WARNED]), "anomaly", "failed checks: a_check"),
        (Report(missed="3 left out"), "anomaly", "3 left out"),
        (Report(uncredited={4: "nothing came"}), "anomaly", "shard 4: nothing came"),
        (Report(uncredited={4: "nothing"}, missed="9"), "anomaly", "shard 4: nothing"),
        (Report(refused={7: "locked"}), "failed", "shard 7: locked"),
        (Report(broken={2: "gone", 3: "gone"}), "failed", "shard 2, 3: gone"),
        (Report(lost="the server went away"), "failed", "the server went away"),
        (Report(in_vain="nobody answered", uncredited={1: "x"}), "failed", "nobody answered"),
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


def test_partitions_are_called_what_the_room_calls_them():
    class Hours(RunOutcome):
        PARTITION_NOUN = "hour"

    assert Hours(refused={"2026-05-01-13:00": "locked"}).reason == "hour 2026-05-01-13:00: locked"
