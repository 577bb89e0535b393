"""What an error says of its call, whichever way it failed."""

import pytest

from resources.lml import errors
from resources.lml.errors import LmlBrokenAnswer, LmlError, LmlTimeout, LmlUnavailable


@pytest.mark.parametrize(
    ("name", "retryable"),
    [
        ("LmlAuthError", False),
        ("LmlRequestError", False),
        ("LmlRateLimited", True),
        ("LmlServerError", True),
        ("LmlTimeout", True),
        ("LmlUnreachable", True),
        ("LmlUnavailable", True),
    ],
)
def test_the_class_decides_whether_another_try_can_help(name, retryable):
    error = getattr(errors, name)("failed")
    assert isinstance(error, LmlError)
    assert error.retryable is retryable


@pytest.mark.parametrize("retryable", [True, False])
def test_a_broken_answer_is_retryable_as_its_reader_decides(retryable):
    assert LmlBrokenAnswer("broken", retryable=retryable, status=200).retryable is retryable


def test_an_error_counts_one_call_unless_it_was_not_made():
    assert (LmlTimeout("late").calls, LmlTimeout("late").called) == (1, True)
    assert (LmlUnavailable("open").calls, LmlUnavailable("open").called) == (0, False)
