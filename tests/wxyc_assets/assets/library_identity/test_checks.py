"""What must hold after a run, decided on its numbers."""

import pytest

from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.findings import of_answers, of_storage, unresolved_rate

CLEAN = Counters(scanned=10, resolved=6, unresolved=3, compilation=1)


def answers(counters, walked=None, inputs_read=None):
    walked = counters if walked is None else walked
    read = walked.scanned if inputs_read is None else inputs_read
    return {finding.name: finding for finding in of_answers(counters, walked=walked, inputs_read=read)}


def storage(counters=CLEAN, eligible_left=None, recent=()):
    return {one.name: one for one in of_storage(counters, eligible_left=eligible_left or {}, recent=recent)}


def test_a_clean_run_passes_everything():
    assert all(finding.passed for finding in [*answers(CLEAN).values(), *storage().values()])


@pytest.mark.parametrize(
    ("counters", "inputs_read"),
    [
        (Counters(scanned=10, resolved=9), 10),  # one has no outcome
        (Counters(scanned=10, resolved=11), 10),  # one has two
        (Counters(scanned=9, resolved=9), 10),  # one was read and never counted
        (Counters(scanned=11, resolved=11), 10),  # one was counted twice
    ],
)
def test_accounting_fails_when_inputs_scanned_and_outcomes_disagree_in_any_way(counters, inputs_read):
    finding = answers(counters, inputs_read=inputs_read)["accounting_holds"]
    assert not finding.passed
    assert finding.severity == "ERROR"
    assert finding.description


def test_accounting_compares_inputs_only_of_shards_that_were_walked_but_buckets_of_all():
    broken = Counters(scanned=5, resolved=5)  # half a shard, whose other inputs were read and lost with the database
    assert answers(CLEAN + broken, walked=CLEAN, inputs_read=10)["accounting_holds"].passed
    assert not answers(CLEAN + Counters(scanned=5), walked=CLEAN)["accounting_holds"].passed


@pytest.mark.parametrize("counter", ["answers_untrusted", "lml_untrusted_library_id", "lml_cardinality_mismatch"])
def test_any_untrusted_or_missing_answer_fails_the_trust_check(counter):
    finding = answers(CLEAN.plus(scanned=1, **{counter: 1}))["answers_trusted"]
    assert not finding.passed
    assert finding.severity == "ERROR"
    assert finding.numbers[counter] == 1


def test_one_violation_and_one_writer_error_fail_their_checks():
    assert not answers(CLEAN.plus(contract_violation=1))["contract_violations_zero"].passed
    assert not storage(CLEAN.plus(writer_error=1))["writer_errors_zero"].passed


def test_libraries_left_fail_the_check_and_are_counted_by_shard():
    finding = storage(eligible_left={3: 2, 11: 5})["eligible_left_zero"]
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
        (rate(90), [rate(1, of=49)], True),
        (rate(30), [rate(0, of=30), rate(0, of=30)], False),  # earlier runs are taken together
    ],
)
def test_a_risen_share_of_unresolved_only_warns_and_only_where_numbers_can_say_so(now, before, passed):
    finding = unresolved_rate(now, before)
    assert finding.passed is passed
    assert finding.severity == "WARN"


def test_inputs_that_lml_did_not_answer_are_no_part_of_the_share():
    assert unresolved_rate(rate(5).plus(scanned=900, lml_error=900), [rate(5)]).passed
