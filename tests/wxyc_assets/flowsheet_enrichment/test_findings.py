"""What a pass finds out about itself."""

from wxyc_assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.flowsheet_enrichment.findings import of_plays, of_storage


def found(findings, name):
    return next(finding for finding in findings if finding.name == name)


def test_accounting_fails_when_a_play_was_read_and_not_counted_or_counted_without_an_outcome():
    good = Counters(scanned=3, flipped=2, overtaken=1)
    assert found(of_plays(good, plays_read=3, distrusted={}), "accounting_holds").passed
    for counters, plays_read in ((good, 4), (good.plus(scanned=1), 4), (good.plus(flipped=1), 3)):
        finding = found(of_plays(counters, plays_read=plays_read, distrusted={}), "accounting_holds")
        assert not finding.passed
        assert finding.severity == "ERROR"
        assert finding.description


def test_a_refused_shard_fails_the_check_of_trust_with_its_numbers():
    assert found(of_plays(Counters(), plays_read=0, distrusted={}), "metadata_trusted").passed
    finding = found(of_plays(Counters(), plays_read=0, distrusted={3: 7, 5: 1}), "metadata_trusted")
    assert (finding.passed, finding.severity) == (False, "ERROR")
    assert finding.numbers == {"unexpected_index": 8, "shard_3": 7, "shard_5": 1}


def test_plays_left_behind_and_plays_that_were_refused_fail_their_checks():
    assert all(finding.passed for finding in of_storage(Counters(scanned=1, flipped=1), waiting_left={}))
    left = found(of_storage(Counters(locked=2), waiting_left={1: 2}), "waiting_left_zero")
    assert (left.passed, left.severity, left.numbers) == (
        False,
        "ERROR",
        {"waiting_left": 2, "locked": 2, "shard_1": 2},
    )
    assert not found(of_storage(Counters(writer_error=1), waiting_left={}), "writer_errors_zero").passed
