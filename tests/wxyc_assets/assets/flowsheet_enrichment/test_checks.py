"""The findings of a run, decided on its numbers, and the checks that declare them."""

from wxyc_assets.assets.flowsheet_enrichment.checks import (
    CHECKS,
    MarkedWithoutMetadata,
    of_marked_plays,
    of_plays,
    of_storage,
)
from wxyc_assets.assets.flowsheet_enrichment.counters import Counters


def finding_of(findings, name):
    return next(finding for finding in findings if finding.name == name)


def test_accounting_fails_if_a_play_has_no_count_or_no_outcome():
    good = Counters(scanned=3, flipped=2, overtaken=1)
    assert finding_of(of_plays(good, plays_read=3, untrusted={}), "accounting_holds").passed
    for counters, plays_read in ((good, 4), (good.plus(scanned=1), 4), (good.plus(flipped=1), 3)):
        finding = finding_of(of_plays(counters, plays_read=plays_read, untrusted={}), "accounting_holds")
        assert not finding.passed
        assert finding.severity == "ERROR"
        assert finding.description


def test_shard_with_untrusted_metadata_fails_metadata_trusted():
    assert finding_of(of_plays(Counters(), plays_read=0, untrusted={}), "metadata_trusted").passed
    finding = finding_of(of_plays(Counters(), plays_read=0, untrusted={3: 7, 5: 1}), "metadata_trusted")
    assert (finding.passed, finding.severity) == (False, "ERROR")
    assert finding.numbers == {"unexpected_index": 8, "shard_3": 7, "shard_5": 1}


def test_waiting_plays_and_refused_plays_fail_their_checks():
    assert all(finding.passed for finding in of_storage(Counters(scanned=1, flipped=1), waiting_left={}))
    left = finding_of(of_storage(Counters(locked=2), waiting_left={1: 2}), "waiting_left_zero")
    assert (left.passed, left.severity, left.numbers) == (
        False,
        "ERROR",
        {"waiting_left": 2, "locked": 2, "shard_1": 2},
    )
    assert not finding_of(of_storage(Counters(writer_error=1), waiting_left={}), "writer_errors_zero").passed


def test_findings_and_declared_checks_are_the_same():
    found = of_plays(Counters(), plays_read=0, untrusted={}) + of_storage(Counters(), waiting_left={})
    found.append(of_marked_plays(MarkedWithoutMetadata(0, 0, [])))
    assert [check.name for check in CHECKS] == [finding.name for finding in found]


def test_every_check_has_a_description():
    assert all(check.description.endswith(".") for check in CHECKS)


def test_a_marked_play_without_metadata_warns_and_names_its_album():
    assert of_marked_plays(MarkedWithoutMetadata(0, 0, [])).passed
    finding = of_marked_plays(MarkedWithoutMetadata(9, 4, [3, 5, 8]))
    assert (finding.passed, finding.severity, finding.numbers) == (False, "WARN", {"plays": 9, "albums": 4})
    assert finding.description.endswith("no metadata: 3, 5, 8 and others")
