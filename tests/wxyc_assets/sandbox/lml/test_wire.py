"""Request bodies: parsing, validation and caps, with LML's errors."""

import json
from typing import Any

import pytest

from wxyc_assets.sandbox.lml import wire


def test_a_valid_body_is_parsed_and_unknown_fields_are_ignored():
    body = wire.parse(b'{"identity_ids": [1, 2], "new": true}', wire.RefreshBody)
    assert body == wire.RefreshBody(identity_ids=[1, 2])


def test_a_body_that_is_not_json_is_a_400():
    with pytest.raises(wire.ApiError) as refusal:
        wire.parse(b"{", wire.RefreshBody)
    assert (refusal.value.status, refusal.value.body["code"]) == (400, "invalid_json")


def test_at_most_ten_wrong_fields_are_named():
    with pytest.raises(wire.ApiError) as refusal:
        wire.parse(json.dumps({"identity_ids": ["x"] * 30}).encode(), wire.RefreshBody)
    assert refusal.value.status == 422
    details: Any = refusal.value.body["details"]
    assert [one["field"] for one in details] == [f"identity_ids.{n}" for n in range(10)]


@pytest.mark.parametrize("body", [{"items": [1, 2]}, {"items": "abc"}, {}, [1, 2, 3], None])
def test_the_cap_allows_lists_up_to_it_and_other_shapes(body):
    wire.enforce_cap(body, "items", 2, 413)


def test_the_cap_refuses_a_longer_list_whatever_its_items():
    with pytest.raises(wire.ApiError, match="items takes at most 2 items, 3 were sent") as refusal:
        wire.enforce_cap({"items": [None, "x", 3]}, "items", 2, 413)
    assert refusal.value.status == 413


def test_an_error_has_retry_after_only_if_it_is_given():
    assert "retry-after" not in wire.ApiError(503, "down", "down").response().headers
    assert wire.ApiError(429, "slow", "slow", retry_after_s=0).response().headers["retry-after"] == "0"
