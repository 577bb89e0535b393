"""The findings of a run, decided on its numbers, and the checks that declare them."""

import pytest

from wxyc_assets.assets.library_identity.checks import CHECKS, of_answers, of_storage, unresolved_rate
from wxyc_assets.assets.library_identity.counters import Counters

CLEAN = Counters(scanned=10, resolved=6, unresolved=3, compilation=1)


def answer_findings(counters, processed=None, inputs_read=None):
    processed = counters if processed is None else processed
    read = processed.scanned if inputs_read is None else inputs_read
    return {finding.name: finding for finding in of_answers(counters, processed=processed, inputs_read=read)}


def storage_findings(counters=CLEAN, eligible_left=None, recent=()):
    return {one.name: one for one in of_storage(counters, eligible_left=eligible_left or {}, recent=recent)}


def test_clean_run_passes_every_check():
    assert all(finding.passed for finding in [*answer_findings(CLEAN).values(), *storage_findings().values()])


@pytest.mark.parametrize(
    ("counters", "inputs_read"),
    [
        (Counters(scanned=10, resolved=9), 10),  # one has no outcome
        (Counters(scanned=10, resolved=11), 10),  # one has two
        (Counters(scanned=9, resolved=9), 10),  # one was read and never counted
        (Counters(scanned=11, resolved=11), 10),  # one was counted twice
    ],
)
def test_accounting_fails_if_any_two_counts_disagree(counters, inputs_read):
    finding = answer_findings(counters, inputs_read=inputs_read)["accounting_holds"]
    assert not finding.passed
    assert finding.severity == "ERROR"
    assert finding.description


def test_accounting_ignores_the_inputs_of_broken_shards():
    """It compares the buckets of all shards, and the inputs of those that were processed to their end."""
    broken = Counters(scanned=5, resolved=5)  # half a shard, whose other inputs were read and lost with the database
    assert answer_findings(CLEAN + broken, processed=CLEAN, inputs_read=10)["accounting_holds"].passed
    assert not answer_findings(CLEAN + Counters(scanned=5), processed=CLEAN)["accounting_holds"].passed


@pytest.mark.parametrize("counter", ["answers_untrusted", "lml_untrusted_library_id", "lml_cardinality_mismatch"])
def test_untrusted_or_missing_answer_fails_answers_trusted(counter):
    finding = answer_findings(CLEAN.plus(scanned=1, **{counter: 1}))["answers_trusted"]
    assert not finding.passed
    assert finding.severity == "ERROR"
    assert finding.numbers[counter] == 1


def test_violation_and_writer_error_fail_their_checks():
    assert not answer_findings(CLEAN.plus(contract_violation=1))["contract_violations_zero"].passed
    assert not storage_findings(CLEAN.plus(writer_error=1))["writer_errors_zero"].passed


def test_eligible_libraries_left_fail_their_check_by_shard():
    finding = storage_findings(eligible_left={3: 2, 11: 5})["eligible_left_zero"]
    assert not finding.passed
    assert finding.numbers == {"eligible_left": 7, "shard_3": 2, "shard_11": 5}


def rate(unresolved, of=100):
    return Counters(scanned=of, resolved=of - unresolved, unresolved=unresolved)


@pytest.mark.parametrize(
    ("now", "before", "passed"),
    [
        (rate(13), [rate(3)], True),  # a rise by exactly a tenth is usual
        (rate(14), [rate(3)], False),
        (rate(3), [rate(90)], True),  # a fall is good news
        (rate(90), [], True),  # nothing to compare with
        (rate(40, of=49), [rate(3)], True),  # too few answers to say
        (rate(40, of=50), [rate(3)], False),
        (rate(90), [rate(1, of=49)], True),
        (rate(90), [rate(1, of=50)], False),
        (rate(30), [rate(0, of=30), rate(0, of=30)], False),  # earlier runs are taken together
    ],
)
def test_risen_unresolved_rate_warns_if_it_is_significant(now, before, passed):
    finding = unresolved_rate(now, before)
    assert finding.passed is passed
    assert finding.severity == "WARN"


def test_unanswered_inputs_are_no_part_of_the_unresolved_rate():
    assert unresolved_rate(rate(5).plus(scanned=900, lml_error=900), [rate(5)]).passed


def test_findings_and_declared_checks_are_the_same():
    found = of_answers(Counters(), processed=Counters(), inputs_read=0)
    found += of_storage(Counters(), eligible_left={}, recent=[])
    assert [check.name for check in CHECKS] == [finding.name for finding in found]


def test_only_answers_trusted_blocks_downstream_assets():
    assert [check.name for check in CHECKS if check.blocking] == ["answers_trusted"]


def test_every_check_has_a_description():
    assert all(check.description.endswith(".") for check in CHECKS)
