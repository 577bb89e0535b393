"""When to ask LML again: waits that double, from five minutes to 45."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest

from wxyc_assets.monitoring.lml_outage.rules import (
    ANSWERED,
    ASKING,
    FIRST_WAIT,
    LONGEST_WAIT,
    UNANSWERED,
    LmlRun,
    is_reason,
    next_try,
    partitions_in_vain,
)

AT = datetime(2026, 3, 4, 5, tzinfo=UTC)


def a_run(run_id, minutes, *, asset="album_metadata", unanswered=0, answered=0, partitions=("1",), vain=None):
    """A run that LML answered nothing for in the partitions ``vain``; by default in all of them, if it answered nothing."""
    vain = vain if vain is not None else partitions if unanswered and not answered else ()
    return LmlRun(run_id, asset, True, AT + timedelta(minutes=minutes), "", unanswered, answered, partitions, vain)


def due(runs):
    found = next_try(runs, "album_metadata")
    assert found is not None
    return found.at


def test_the_waits_double_up_to_45_minutes():
    runs, waits, minutes = [], [], 0.0
    for number in range(7):
        runs.append(a_run(str(number), minutes, unanswered=9))
        at = due(runs)
        waits.append((at - runs[-1].ended_at) / timedelta(minutes=1))
        minutes += waits[-1]
    assert waits == [5, 5, 10, 20, 40, 45, 45]
    assert (timedelta(minutes=5), timedelta(minutes=45)) == (FIRST_WAIT, LONGEST_WAIT)


def test_one_outage_is_that_of_all_assets():
    runs = [a_run("a", 0, asset="library_identity", unanswered=9), a_run("b", 30, unanswered=9)]
    assert due(runs) == AT + timedelta(minutes=60)


def test_the_next_try_is_due_when_lml_has_answered_another_run():
    runs = [a_run("a", 0, unanswered=9), a_run("b", 2, asset="rotation_identity", answered=3)]
    assert due(runs) == AT


def test_a_run_with_nothing_to_ask_ends_no_outage():
    runs = [a_run("a", 0, unanswered=9), a_run("b", 2, asset="rotation_identity")]
    assert due(runs) == AT + FIRST_WAIT


def test_an_asset_that_never_asked_in_vain_has_no_next_try():
    assert next_try([a_run("a", 0, answered=9)], "album_metadata") is None


def test_single_inputs_without_an_answer_are_no_reason_to_repeat():
    assert next_try([a_run("a", 0, unanswered=1, answered=8)], "album_metadata") is None


def test_only_the_partitions_without_any_answer_are_repeated():
    """LML went down in the middle of the run."""
    runs = [a_run("a", 0, unanswered=9, answered=8, partitions=["1", "2"], vain=["2"])]
    assert due(runs) == AT + FIRST_WAIT
    assert list(partitions_in_vain(runs, "album_metadata")) == ["2"]


def test_partitions_are_in_vain_if_their_last_run_was():
    runs = [a_run("a", 0, unanswered=9, partitions=["1", "2"]), a_run("b", 2, answered=9, partitions=["2"])]
    assert {key: run.run_id for key, run in partitions_in_vain(runs, "album_metadata").items()} == {"1": "a"}


@pytest.mark.parametrize("asset", ASKING)
def test_the_counters_are_those_of_the_asset(asset):
    names = {field.name for field in fields(import_module(f"wxyc_assets.assets.{asset}.counters").Counters)}
    assert {*UNANSWERED[asset], *ANSWERED[asset]} <= names


def test_a_reason_is_known_by_its_words_or_its_exception():
    assert is_reason("shards 0, 1: LML answered nothing")
    assert is_reason("it failed", "LmlUnreachable")
    assert not is_reason("shard 0: library_identity/0 is being worked on by wxyc_assets run x", "Failure")
