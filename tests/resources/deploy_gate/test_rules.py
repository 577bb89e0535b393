"""The decision after each answer: every case of the contract, and further ones."""

import pytest

from resources.deploy_gate.rules import GATE_SHA, after_compare, after_health, after_probe, unknown_ancestry
from resources.lml.endpoints import PROBE

NEWER = "f00dfeedf00dfeedf00dfeedf00dfeedf00dfeed"


@pytest.mark.parametrize("local_dev", [False, True])
@pytest.mark.parametrize("commit_sha", [None, "", GATE_SHA, NEWER])
@pytest.mark.parametrize("status", [None, 100, 199, 300, 301, 304, 400, 401, 404, 500, 503])
def test_an_unhealthy_lml_is_refused_whatever_its_commit(status, commit_sha, local_dev):
    decision = after_health(status, commit_sha, local_dev=local_dev)
    assert decision is not None
    assert not decision.is_open
    assert str(status) in decision.reason


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
def test_a_commit_without_the_gates_prefix_is_to_be_compared(commit_sha, opens, local_dev, status):
    decision = after_health(status, commit_sha, local_dev=local_dev)
    if opens:
        assert decision is not None
        assert (decision.is_open, decision.commit_sha) == (True, commit_sha)
    else:
        assert decision is None  # also with LOCAL_DEV


def test_an_lml_without_a_commit_is_probed_unless_local_dev():
    assert after_health(200, None, local_dev=False) is None
    trusted = after_health(200, None, local_dev=True)
    assert trusted is not None
    assert (trusted.is_open, trusted.commit_sha) == (True, None)


def test_only_404_and_405_mean_that_there_is_no_such_endpoint():
    decisions = {status: after_probe(status, "") for status in range(100, 600)}
    assert {status for status, decision in decisions.items() if not decision.is_open} == {404, 405}
    assert all(
        str(status) in decision.reason and PROBE.path in decision.reason for status, decision in decisions.items()
    )


def test_a_probe_without_an_answer_is_refused_with_its_reason():
    decision = after_probe(None, "no connection to LML")
    assert not decision.is_open
    assert "no connection to LML" in decision.reason


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
def test_only_a_commit_that_contains_the_gates_commit_passes(relation, opens):
    decision = after_compare(200, relation, NEWER)
    assert (decision.is_open, decision.commit_sha) == (opens, NEWER)


@pytest.mark.parametrize("status", [100, 199, 300, 301, 304, 401, 403, 404, 422, 429, 500, 502, 503])
@pytest.mark.parametrize("relation", ["identical", "ahead", None])
def test_a_github_that_refuses_closes_the_gate(status, relation):
    decision = after_compare(status, relation, NEWER)
    assert not decision.is_open
    assert str(status) in decision.reason


def test_an_unknown_ancestry_is_refused():
    decision = unknown_ancestry("it is Sunday", NEWER)
    assert (decision.is_open, decision.commit_sha) == (False, NEWER)
    assert "it is Sunday" in decision.reason


def test_a_foreign_text_in_a_reason_is_short_and_printable():
    decision = after_compare(200, "\x1b[31m\n" + "x" * 10_000, "\ud800" + "y" * 10_000)
    assert len(decision.reason) < 400
    assert decision.reason.isprintable()
    assert decision.reason.isascii()
