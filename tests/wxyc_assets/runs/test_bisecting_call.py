"""Of the inputs of one batch, only those that LML refuses alone are left out, in few calls."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.lml.errors import LmlBrokenAnswer, LmlRequestError, LmlServerError
from resources.lml.models import Answer
from wxyc_assets.runs.bisecting_call import GIVE_UP_AFTER, IsolatingCaller


class RefusingLml:
    """Refuses every batch that holds one of the ``guilty`` inputs; counts its calls."""

    def __init__(self, guilty, error):
        self.guilty, self.error, self.calls = set(guilty), error, 0

    def __call__(self, inputs):
        self.calls += 1
        if self.guilty & set(inputs):
            raise self.error
        return Answer()


def refusal(status=422):
    return LmlRequestError("refused", status=status)


def refused(asked):
    return [one for part in asked.parts if part.refused for one in part.inputs]


@pytest.mark.parametrize("error", [refusal(400), refusal(413), refusal(422), ValueError("digits")], ids=repr)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.integers(1, 1000))
def test_one_refused_input_costs_two_logarithms_of_calls(error, data, size):
    guilty = data.draw(st.integers(0, size - 1))
    lml = RefusingLml({guilty}, error)
    asked = IsolatingCaller().ask(range(size), lml)
    assert refused(asked) == [guilty]
    assert [one for part in asked.parts for one in part.inputs] == list(range(size))
    assert lml.calls <= 2 * math.log2(size) + 2
    assert asked.failed == []


@settings(max_examples=60, deadline=None)
@given(guilty=st.sets(st.integers(0, 99), max_size=40))
def test_all_inputs_but_the_refused_ones_are_answered(guilty):
    asked = IsolatingCaller().ask(range(100), RefusingLml(guilty, refusal()))
    assert set(refused(asked)) == guilty
    assert sum(len(part.inputs) for part in asked.parts if part.answer) == 100 - len(guilty)


@pytest.mark.parametrize(
    "error",
    [refusal(404), LmlServerError("failed", status=500), LmlBrokenAnswer("no JSON", retryable=True, status=200)],
    ids=repr,
)
def test_a_failure_that_no_input_causes_is_one_call(error):
    lml = RefusingLml({3}, error)
    asked = IsolatingCaller().ask(range(10), lml)
    assert (lml.calls, asked.failed, refused(asked)) == (1, [(error, range(10))], [])


def test_lml_that_refuses_everything_gets_bounded_calls():
    lml = RefusingLml(range(500), refusal())
    caller = IsolatingCaller()
    first = caller.ask(range(500), lml)
    assert len(refused(first)) == GIVE_UP_AFTER
    before = lml.calls
    second = caller.ask(range(500), lml)
    assert (lml.calls - before, refused(second)) == (1, [])


def test_errors_of_the_process_are_raised():
    for error in (MemoryError(), KeyboardInterrupt(), SystemExit()):
        with pytest.raises(type(error)):
            IsolatingCaller().ask(range(4), RefusingLml({1}, error))
