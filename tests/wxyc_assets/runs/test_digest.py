"""The digest of an unusable payload tells it from others; its first problem quotes nothing of it."""

import math

import pytest
from pydantic import BaseModel, ValidationError

from wxyc_assets.runs.digest import digest, first_problem


class Answer(BaseModel):
    confidence: float
    places: list[int] = []


@pytest.mark.parametrize(
    ("payload", "start"),
    [
        ({}, "confidence: Field required"),
        ({"confidence": 1, "places": [1, "secret"]}, "places.1: Input should be a valid integer, "),
        (7, "answer: "),
    ],
)
def test_first_problem_is_one_line_without_the_payload(payload, start):
    with pytest.raises(ValidationError) as caught:
        Answer.model_validate(payload)
    problem = first_problem(caught.value)
    assert problem.startswith(start)
    assert "secret" not in problem
    assert "\n" not in problem


def test_digest_differs_by_payload_not_by_key_order():
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})
    assert len(digest(math.nan)) == len(digest(object)) == 64


def test_payload_too_deep_for_json_has_a_digest():
    """Python cannot write a payload that is nested this deep."""
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert len(digest(deep)) == 64
