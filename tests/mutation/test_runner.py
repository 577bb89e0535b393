"""What becomes of mutations: each of the five verdicts, on a tree of one rule and three tests."""

import sys

import pytest

from tests.mutation import __main__ as program
from tests.mutation import tree_copy
from tests.mutation.mutations import Mutation
from tests.mutation.runner import judge

CODE = """
LIMIT = 5

def may_pass(number):
    return number < LIMIT

def may_wait(number):
    return number > 0
"""
TESTS = """
import rule

def test_limit():
    assert rule.may_pass(4)
    assert not rule.may_pass(5)

def test_below():
    assert rule.may_pass(1)

def test_broken():
    assert not rule.may_wait(1)
"""


def mutation(name, before, after, *tests):
    return Mutation(name, "rule.py", before, after, [f"test_rule.py::{test}" for test in tests], "It matters.")


KILLED = [
    mutation("bound", "number < LIMIT", "number <= LIMIT", "test_limit"),
    mutation("same length", "number < LIMIT", "number > LIMIT", "test_below"),
    mutation("limit", "LIMIT = 5", "LIMIT = 4", "test_below", "test_limit"),
]
SURVIVED = mutation("survivor", "number < LIMIT", "number <= LIMIT", "test_below")
TWICE = mutation("twice", "number", "n", "test_below")
SYNTAX = mutation("syntax", "def may_pass(number):", "def may_pass(number)", "test_below")
BROKEN = mutation("broken", "number > 0", "number >= 0", "test_broken")
NO_TEST = mutation("no test", "number > 0", "number >= 0", "test_that_is_gone")


@pytest.fixture
def tree(tmp_path, monkeypatch):
    monkeypatch.setattr(tree_copy, "LIBRARIES", ("pytest", "hypothesis"))
    (tmp_path / "rule.py").write_text(CODE)
    (tmp_path / "test_rule.py").write_text(TESTS)
    return tmp_path


def verdicts(tree, mutations, tell=lambda _line: None):
    results = judge(mutations, workers=2, environ={}, tell=tell, source=tree)
    return {result.mutation.id: result.verdict for result in results}


def test_each_mutation_has_its_verdict(tree):
    told: list[str] = []
    found = verdicts(tree, [*KILLED, SURVIVED, TWICE, SYNTAX], told.append)
    assert found == {
        "bound": "killed", "same length": "killed", "limit": "killed", "survivor": "survived", "twice": "not applicable",
        "syntax": "not runnable",
    }  # fmt: skip
    assert told == ["all tests pass without a mutation"]
    assert (tree / "rule.py").read_text() == CODE


def test_a_test_that_fails_anyway_kills_nothing(tree):
    told: list[str] = []
    found = verdicts(tree, [KILLED[0], BROKEN, NO_TEST], told.append)
    assert found == {"bound": "killed", "broken": "tests fail without it", "no test": "tests fail without it"}
    assert told == ["a test fails without any mutation"]


@pytest.mark.parametrize(("mutations", "code"), [(KILLED[:1], 0), ([*KILLED[:1], SURVIVED], 1)])
def test_the_exit_code_says_whether_all_were_killed(tree, monkeypatch, capsys, mutations, code):
    def on_the_tree(chosen, **options):
        return judge(chosen, source=tree, **options)

    monkeypatch.setattr(program, "judge", on_the_tree)
    assert program.report(mutations, 1, {}) == code
    lines = capsys.readouterr().out.splitlines()
    assert any("] killed: bound (" in line for line in lines)
    assert ("  rule.py: It matters." in lines) is bool(code)
    assert lines[-1].startswith(f"1 of {len(mutations)} mutations were killed, ")


def test_a_wrong_option_starts_nothing(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["mutate", "--part", "12/10"])
    assert program.main() == 1
    assert "12/10 is no part" in capsys.readouterr().out
