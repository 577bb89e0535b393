"""The configuration of a client: the key, and the limits that it refuses."""

from typing import Any

import pytest
from pydantic import SecretStr

from resources.lml.config import LmlConfig
from tests.resources.lml.loopback import KEY


def test_the_key_is_in_no_repr():
    assert KEY not in repr(LmlConfig("http://h", SecretStr(KEY)))


def test_a_key_read_from_a_file_with_its_newline_is_the_key():
    api_key = LmlConfig("http://h", SecretStr(f"{KEY}\n")).api_key
    assert api_key is not None
    assert api_key.get_secret_value() == KEY


@pytest.mark.parametrize("blank", [None, SecretStr(""), SecretStr(" \n")])
def test_a_blank_key_is_no_key(blank):
    assert LmlConfig("http://h", blank).api_key is None


@pytest.mark.parametrize("odd", [f"{KEY} x", f"{KEY}\nX-Evil: 1", f"{KEY}é"])
def test_a_key_that_no_header_can_carry_is_refused_unquoted(odd):
    with pytest.raises(ValueError, match="LML_API_KEY") as caught:
        LmlConfig("http://h", SecretStr(odd))
    assert KEY not in repr(caught.value)


@pytest.mark.parametrize("name", ["attempts", "breaker_threshold", "max_in_flight", "max_answer_bytes"])
def test_a_bound_of_zero_is_refused(name):
    bound: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=name):
        LmlConfig("http://h", **bound)
