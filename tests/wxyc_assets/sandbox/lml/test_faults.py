import pytest
from pydantic import ValidationError

from wxyc_assets.sandbox.lml.faults import Fault, FaultBook


def taken(book, *endpoints):
    return [fault and fault.kind for fault in map(book.take, endpoints)]


def test_a_fault_hits_its_own_endpoint_as_often_as_asked_and_then_no_more():
    book = FaultBook()
    book.arm(Fault(endpoint="lookup", kind="hang", times=2))
    assert taken(book, "lookup", "health", "lookup", "lookup") == ["hang", None, "hang", None]
    assert book.armed() == []


def test_a_fault_without_an_end_hits_until_cleared():
    book = FaultBook()
    book.arm(Fault(endpoint="*", kind="status", times=None))
    assert taken(book, *["health", "lookup"] * 20) == ["status"] * 40
    assert book.clear() == 1
    assert book.take("lookup") is None


def test_after_lets_the_first_requests_pass():
    book = FaultBook()
    book.arm(Fault(endpoint="lookup", kind="hang", after=2))
    assert taken(book, *["lookup"] * 4) == [None, None, "hang", None]


def test_faults_hit_one_at_a_time_in_the_order_of_arming():
    book = FaultBook()
    book.arm(Fault(endpoint="lookup", kind="status"))
    book.arm(Fault(endpoint="*", kind="drip"))
    assert taken(book, "lookup", "lookup", "lookup") == ["status", "drip", None]


def test_a_star_means_the_endpoints_where_the_kind_has_a_meaning():
    book = FaultBook()
    book.arm(Fault(endpoint="*", kind="bad_confidence"))
    assert taken(book, "health", "lookup", "refresh-for-identities", "lookup-bulk") == [
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
def test_nonsense_is_refused(wrong):
    with pytest.raises(ValidationError):
        Fault(**({"endpoint": "lookup", "kind": "hang"} | wrong))
