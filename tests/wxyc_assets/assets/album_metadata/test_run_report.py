"""What a run says came of it: done, done with something to look at, or could not be done."""

import pytest

from tests.wxyc_assets.album_metadata.runs import request
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.drain import ShardDone
from wxyc_assets.album_metadata.run_report import RunReport
from wxyc_assets.finding import Finding

GOOD = Counters(scanned=4, match=4, upserts=4)
DOWN = Counters(scanned=4, error=4, batch_error=4)
LEFT_ALONE = Counters(scanned=4, deferred=4, lml_deferred=4)
SOME = Counters(scanned=4, match=3, upserts=3, error=1, batch_error=1)
EACH_FAILED = Counters(scanned=4, error=4)
FOREIGN = Counters(scanned=4, unexpected_index=4)
RESTING = Counters(scanned=4, deferred=3, skipped_unresolvable=1)


def report(*done, **fields):
    return RunReport(request(), [ShardDone(*one) for one in done], **fields)


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        (report((0, GOOD, 4), (1, Counters(), 0)), "done"),
        (report(), "done"),
        (report((0, RESTING, 4)), "done"),
        (report((0, EACH_FAILED, 4)), "done"),
        (report((0, FOREIGN, 4)), "done"),  # its check says what is wrong
        (report((0, SOME, 4)), "anomaly"),
        (report((0, LEFT_ALONE, 4), (1, GOOD, 4)), "anomaly"),
        (report((0, DOWN, 4), (1, GOOD, 4)), "anomaly"),
        (report((0, DOWN, 4), (1, EACH_FAILED, 4)), "anomaly"),
        (report((0, GOOD, 4), findings=[Finding("x", passed=False)]), "anomaly"),
        (report((0, GOOD, 4), findings=[Finding("x", passed=False, severity="WARN")]), "done"),
        (report((0, DOWN, 4), (1, LEFT_ALONE, 4), (2, RESTING, 4)), "failed"),
        (report((0, LEFT_ALONE, 4)), "failed"),
        (report((0, GOOD, 4), (1, GOOD, 4, "database: gone")), "failed"),
        (report((0, GOOD, 4), refused={1: "somebody has it"}), "failed"),
        (report((0, GOOD, 4), lost="database: gone"), "failed"),
    ],
)
def test_the_verdict_says_whether_the_job_was_done_and_whether_to_look(made, verdict):
    assert made.verdict == verdict
    assert bool(made.reason) == (verdict != "done")


@pytest.mark.parametrize(
    ("counters", "problem"),
    [
        (GOOD, ""),
        (RESTING, ""),
        (SOME, ""),
        (EACH_FAILED, ""),
        (FOREIGN, ""),
        (DOWN, "LML answered nothing"),
        (LEFT_ALONE, "LML answered nothing"),
        (DOWN + RESTING, "LML answered nothing"),
    ],
)
def test_a_shard_is_credited_unless_lml_said_nothing_about_it(counters, problem):
    assert ShardDone(0, counters, counters.scanned).problem == problem


def test_a_shard_that_is_not_credited_is_named_and_what_lml_left_out_is_counted():
    made = report((0, DOWN, 4), (1, GOOD, 4), (2, GOOD, 4, "database: gone"))
    assert made.problems == {0: "LML answered nothing", 2: "database: gone"}
    assert report((0, DOWN, 4), (1, GOOD, 4)).reason == "shard 0: LML answered nothing"
    assert report((0, SOME, 4)).reason == "LML did not answer for 1 albums, which stay pending"


def test_counts_of_broken_shards_are_part_of_the_run():
    assert report((0, GOOD, 4), (1, SOME, 9, "database: gone")).counters == GOOD + SOME
