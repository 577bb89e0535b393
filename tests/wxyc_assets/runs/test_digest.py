"""What is kept of a payload that could not be used tells it from others, and quotes nothing of it."""

import math

import pytest
from pydantic import BaseModel, ValidationError

from wxyc_assets.evidence import digest, first_problem


class Answer(BaseModel):
    confidence: float
    places: list[int] = []


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({}, "confidence: Field required"),
        ({"confidence": 1, "places": [1, "secret"]}, "places.1: Input should be a valid integer, "),
        (7, "answer: "),
    ],
)
def test_the_first_problem_is_one_line_that_says_where_and_not_what_came_in(payload, said):
    with pytest.raises(ValidationError) as caught:
        Answer.model_validate(payload)
    problem = first_problem(caught.value)
    assert problem.startswith(said)
    assert "secret" not in problem
    assert "\n" not in problem


def test_a_digest_tells_payloads_apart_and_not_the_order_of_their_keys():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
    assert len(digest(math.nan)) == len(digest(object)) == 64


def test_what_is_nested_deeper_than_python_can_write_has_a_digest_too():
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert len(digest(deep)) == 64
