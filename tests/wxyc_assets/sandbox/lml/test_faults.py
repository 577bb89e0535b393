"""Faults: which are valid, and which fault a request gets."""

import pytest
from pydantic import ValidationError

from wxyc_assets.sandbox.lml.faults import Fault, FaultRegistry


def taken(registry, *endpoints):
    return [fault and fault.kind for fault in map(registry.take, endpoints)]


def test_a_fault_hits_its_endpoint_the_given_number_of_times():
    registry = FaultRegistry()
    registry.arm(Fault(endpoint="lookup", kind="hang", times=2))
    assert taken(registry, "lookup", "health", "lookup", "lookup") == ["hang", None, "hang", None]
    assert registry.armed() == []


def test_a_fault_without_an_end_hits_until_cleared():
    registry = FaultRegistry()
    registry.arm(Fault(endpoint="*", kind="status", times=None))
    assert taken(registry, *["health", "lookup"] * 20) == ["status"] * 40
    assert registry.clear() == 1
    assert registry.take("lookup") is None


def test_after_lets_the_first_requests_pass():
    registry = FaultRegistry()
    registry.arm(Fault(endpoint="lookup", kind="hang", after=2))
    assert taken(registry, *["lookup"] * 4) == [None, None, "hang", None]


def test_faults_hit_one_at_a_time_in_the_order_of_arming():
    registry = FaultRegistry()
    registry.arm(Fault(endpoint="lookup", kind="status"))
    registry.arm(Fault(endpoint="*", kind="drip"))
    assert taken(registry, "lookup", "lookup", "lookup") == ["status", "drip", None]


def test_a_star_means_all_endpoints_where_the_kind_applies():
    registry = FaultRegistry()
    registry.arm(Fault(endpoint="*", kind="bad_confidence"))
    assert taken(registry, "health", "lookup", "refresh-for-identities", "lookup-bulk") == [
        None,
        None,
        None,
        "bad_confidence",
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "flood"},
        {"endpoint": "/api/v1/lookup"},
        {"times": 0},
        {"status": 200},
        {"latency_ms": float("nan")},
        {"latency_ms": -1},
        {"counts": 3},
        {"endpoint": "health", "kind": "shifted"},
    ],
)
def test_a_fault_with_invalid_fields_is_refused(wrong):
    with pytest.raises(ValidationError):
        Fault.model_validate({"endpoint": "lookup", "kind": "hang"} | wrong)
