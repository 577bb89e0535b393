"""/sandbox/*: faults over HTTP, and the observable state."""

import pytest

from wxyc_assets.sandbox.lml.faults import Fault

FAULT = {"endpoint": "lookup", "kind": "status", "status": 500, "times": 2}


def test_faults_are_armed_listed_and_cleared_over_http(client):
    assert client.post("/sandbox/faults", json=FAULT).status_code == 201
    assert client.post("/api/v1/lookup", json={"raw_message": "a - b"}).status_code == 500
    (armed,) = client.get("/sandbox/faults").json()["faults"]
    assert armed.items() >= (FAULT | {"hits_left": 1, "passes_left": 0}).items()
    assert client.delete("/sandbox/faults").json() == {"cleared": 1}
    assert client.post("/api/v1/lookup", json={"raw_message": "a - b"}).status_code == 200


def test_the_refusal_of_an_unknown_kind_lists_the_kinds(client, lml):
    response = client.post("/sandbox/faults", json=FAULT | {"kind": "flood"})
    assert response.status_code == 422
    for kind in ("latency", "drip", "shifted", "unknown_kind"):
        assert kind in response.json()["message"]
    assert lml.faults.armed() == []


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"endpoint": "nowhere"}, "refresh-for-identities"),
        ({"endpoint": "health", "kind": "short"}, "no meaning"),
        ({"times": 0}, "times"),
        ({"many": 3}, "many"),
    ],
)
def test_an_invalid_fault_is_refused_with_a_helpful_message(client, wrong, hint):
    response = client.post("/sandbox/faults", json=FAULT | wrong)
    assert response.status_code == 422
    assert hint in response.json()["message"]


def test_the_state_shows_calls_requests_and_faults(client, lml):
    lml.faults.arm(Fault(endpoint="lookup", kind="hang", after=5))
    client.post("/api/v1/lookup", json={"raw_message": "a - b"})
    client.post("/api/v1/lookup", json=[])
    state = client.get("/sandbox/state").json()
    assert state["discogs"].items() >= {"calls_in_window": 0, "peak_in_window": 0, "total": 0, "calls": []}.items()
    assert state["requests"] == {
        "by_endpoint": {"lookup": 2},
        "by_status": {"200": 1, "422": 1},
        "in_flight": 0,
        "in_flight_peak": 1,
    }
    assert [one["kind"] for one in state["faults"]] == ["hang"]
    assert state["uptime_s"] > 0
    assert set(lml.state()) == set(state)
