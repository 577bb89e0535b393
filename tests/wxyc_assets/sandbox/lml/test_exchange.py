"""Faults on request, over real HTTP."""

import json
import threading
import time

import httpx
import pytest

from wxyc_assets.sandbox.lml.faults import Fault

RESOLVE = "/api/v1/identity/bulk-resolve-libraries"
BODY = {"inputs": [{"library_id": n, "artist_name": f"A {n}", "album_title": f"B {n}"} for n in range(1, 6)]}


@pytest.fixture
def arm(lml):
    def arm(kind, **parameters):
        lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind=kind, **parameters))

    return arm


@pytest.fixture
def ask(client):
    return lambda **options: client.post(RESOLVE, json=BODY, **options)


def test_a_fault_hits_once_and_the_next_request_is_whole_again(arm, ask):
    whole = ask().json()
    arm("short", count=2)
    assert [one["library_id"] for one in ask().json()["results"]] == [1, 2, 3]
    assert ask().json() == whole


def test_latency_comes_before_the_answer(arm, ask):
    arm("latency", latency_ms=300)
    started = time.monotonic()
    assert ask().status_code == 200
    assert time.monotonic() - started >= 0.3


def test_a_status_comes_with_lmls_error_body_and_retry_after_only_when_asked(arm, ask):
    arm("status", status=502)
    arm("status", status=503, retry_after_s=7)
    plain, with_hint = ask(), ask()
    assert (plain.status_code, plain.headers.get("retry-after")) == (502, None)
    assert (with_hint.status_code, with_hint.headers["retry-after"]) == (503, "7")
    assert plain.json()["code"] == "fault"


@pytest.mark.parametrize(("given", "seen"), [({}, "1"), ({"retry_after_s": 0}, "0"), ({"retry_after_s": 9}, "9")])
def test_rate_limited_is_429_with_retry_after(arm, ask, given, seen):
    arm("rate_limited", **given)
    response = ask()
    assert (response.status_code, response.headers["retry-after"]) == (429, seen)


def test_a_hanging_request_blocks_nobody_else_and_ends_when_its_client_leaves(lml, arm, ask):
    arm("hang")

    def give_up():
        with pytest.raises(httpx.ReadTimeout):
            ask(timeout=0.5)

    impatient = threading.Thread(target=give_up)
    impatient.start()
    while not lml.traffic.in_flight:
        time.sleep(0.01)
    assert ask().status_code == 200
    impatient.join()
    deadline = time.monotonic() + 5
    while lml.traffic.in_flight and time.monotonic() < deadline:
        time.sleep(0.01)
    assert lml.traffic.counts()["by_status"] == {"200": 1, "499": 1}


def test_a_drip_sends_headers_at_once_and_the_body_piece_by_piece(arm, client):
    arm("drip", count=5, latency_ms=100)
    with client.stream("POST", RESOLVE, json=BODY) as response:
        headers_at = time.monotonic()
        response.read()
    assert time.monotonic() - headers_at >= 0.35
    assert len(response.json()["results"]) == 5


def test_broken_json_is_a_complete_response_that_does_not_parse(arm, ask):
    arm("broken_json")
    response = ask()
    assert response.status_code == 200
    assert int(response.headers["content-length"]) == len(response.content)
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_a_disconnect_closes_the_connection_without_an_answer(lml, arm, ask):
    arm("disconnect")
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        ask()
    assert ask().status_code == 200


def test_a_huge_body_is_valid_json_of_the_size_asked_for(arm, ask):
    arm("huge_body", count=3)
    response = ask()
    assert len(response.content) > 3 << 20
    assert len(response.json()["results"]) == 5


def test_a_wrong_key_does_not_use_a_fault_up(lml, arm, ask):
    arm("status", status=500)
    assert httpx.post(lml.url + RESOLVE, json=BODY).status_code == 401
    assert ask().status_code == 500


def test_batches_are_damaged_on_every_batch_endpoint(lml, client):
    lml.faults.arm(Fault(endpoint="*", kind="shifted", times=None))
    lookups = client.post("/api/v1/lookup/bulk", json={"items": [{"raw_message": f"a - {n}"} for n in range(3)]})
    identities = client.post("/api/v1/cache/refresh-for-identities", json={"identity_ids": [1, 2, 3]})
    health = client.get("/health")
    assert [one["index"] for one in lookups.json()["results"]] == [1, 2, 0]
    assert [one["identity_id"] for one in identities.json()["results"]] == [2, 3, 1]
    assert health.json()["status"] == "healthy"
