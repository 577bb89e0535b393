"""What the gate makes of each answer: every case of the contract, and those beside it."""

import pytest

from resources.deploy_gate.rules import (
    GATE_SHA,
    after_compare,
    after_health,
    after_probe,
    unknown_ancestry,
)
from resources.lml.endpoints import PROBE

NEWER = "f00dfeedf00dfeedf00dfeedf00dfeedf00dfeed"


@pytest.mark.parametrize("local_dev", [False, True])
@pytest.mark.parametrize("commit_sha", [None, "", GATE_SHA, NEWER])
@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 304, 400, 401, 404, 500, 503])
def test_an_lml_that_does_not_call_itself_well_is_refused_whatever_else_it_says(status, commit_sha, local_dev):
    ruling = after_health(status, commit_sha, local_dev=local_dev)
    assert ruling is not None
    assert not ruling.is_open
    assert str(status) in ruling.reason


@pytest.mark.parametrize("status", [200, 204, 299])
@pytest.mark.parametrize("local_dev", [False, True])
@pytest.mark.parametrize(
    ("commit_sha", "opens"),
    [
        (GATE_SHA, True),
        (GATE_SHA + "0123456789abcdef0123456789abcdef0", True),
        (GATE_SHA + " of a fork", True),  # a prefix is a prefix
        (GATE_SHA[:-1], False),
        ("0" + GATE_SHA, False),
        (GATE_SHA.upper(), False),
        ("", False),  # not null, so GitHub is asked
        (NEWER, False),
    ],
)
def test_a_commit_is_the_gates_own_by_its_prefix_and_else_to_be_compared(commit_sha, opens, local_dev, status):
    ruling = after_health(status, commit_sha, local_dev=local_dev)
    if opens:
        assert ruling is not None
        assert (ruling.is_open, ruling.commit_sha) == (True, commit_sha)
    else:
        assert ruling is None  # LOCAL_DEV does not change that


def test_an_lml_without_a_commit_is_probed_but_on_ones_own_machine():
    assert after_health(200, None, local_dev=False) is None
    trusted = after_health(200, None, local_dev=True)
    assert trusted is not None
    assert (trusted.is_open, trusted.commit_sha) == (True, None)


def test_only_404_and_405_mean_that_there_is_no_such_endpoint():
    rulings = {status: after_probe(status, "") for status in range(100, 600)}
    assert {status for status, ruling in rulings.items() if not ruling.is_open} == {404, 405}
    assert all(str(status) in ruling.reason and PROBE.path in ruling.reason for status, ruling in rulings.items())


def test_a_probe_without_an_answer_is_refused_with_its_reason():
    ruling = after_probe(None, "no connection to LML")
    assert not ruling.is_open
    assert "no connection to LML" in ruling.reason


@pytest.mark.parametrize(
    ("relation", "opens"),
    [
        ("identical", True),
        ("ahead", True),
        ("behind", False),
        ("diverged", False),
        ("Ahead", False),
        ("", False),
        (None, False),
        (True, False),
        (7, False),
        (["ahead"], False),
        ({"ahead": 1}, False),
    ],
)
def test_only_a_commit_that_contains_the_gates_passes(relation, opens):
    ruling = after_compare(200, relation, NEWER)
    assert (ruling.is_open, ruling.commit_sha) == (opens, NEWER)


@pytest.mark.parametrize("status", [100, 199, 300, 301, 304, 401, 403, 404, 422, 429, 500, 502, 503])
@pytest.mark.parametrize("relation", ["identical", "ahead", None])
def test_a_github_that_refuses_closes_the_gate_whatever_its_body_says(status, relation):
    ruling = after_compare(status, relation, NEWER)
    assert not ruling.is_open
    assert str(status) in ruling.reason


def test_what_nobody_can_tell_is_refused():
    ruling = unknown_ancestry("it is Sunday", NEWER)
    assert (ruling.is_open, ruling.commit_sha) == (False, NEWER)
    assert "it is Sunday" in ruling.reason


def test_a_foreign_text_in_a_reason_is_short_and_printable():
    ruling = after_compare(200, "\x1b[31m\n" + "x" * 10_000, "\ud800" + "y" * 10_000)
    assert len(ruling.reason) < 400
    assert ruling.reason.isprintable()
    assert ruling.reason.isascii()
