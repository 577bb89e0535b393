"""What a run says came of it: done, done with something to look at, or could not be done."""

import pytest

from tests.wxyc_assets.library_identity.runs import request
from wxyc_assets.finding import Finding
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.drain import ShardDone
from wxyc_assets.library_identity.run_report import RunReport

GOOD = Counters(scanned=4, resolved=4)
DOWN = Counters(scanned=4, lml_error=4)
SOME = Counters(scanned=4, resolved=3, lml_error=1)


def report(*done, **fields):
    return RunReport(request(), [ShardDone(*one) for one in done], **fields)


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
        (report((0, GOOD, 4), refused={1: "somebody has it"}), "failed"),
        (report((0, GOOD, 4), lost="database: gone"), "failed"),
    ],
)
def test_the_verdict_says_whether_the_job_was_done_and_whether_to_look(made, verdict):
    assert made.verdict == verdict
    assert bool(made.reason) == (verdict != "done")


def test_a_shard_that_is_not_credited_is_named_and_what_lml_left_out_is_counted():
    made = report((0, DOWN, 4), (1, GOOD, 4), (2, GOOD, 4, "database: gone"))
    assert made.problems == {0: "LML answered nothing", 2: "database: gone"}
    assert report((0, DOWN, 4), (1, GOOD, 4)).reason == "shard 0: LML answered nothing"
    assert report((0, SOME, 4)).reason == "LML did not answer for 1 libraries"


def test_counts_of_broken_shards_are_part_of_the_run():
    assert report((0, GOOD, 4), (1, SOME, 9, "database: gone")).counters == GOOD + SOME
