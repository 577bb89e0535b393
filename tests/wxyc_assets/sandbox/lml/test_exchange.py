"""Faults on request, over real HTTP."""

import http.client
import json
import time

import httpx
import pytest

from tests.waiting import wait_for
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


def test_a_fault_hits_one_request_only(arm, ask):
    whole = ask().json()
    arm("short", count=2)
    assert [one["library_id"] for one in ask().json()["results"]] == [1, 2, 3]
    assert ask().json() == whole


def test_latency_delays_the_answer(arm, ask):
    arm("latency", latency_ms=300)
    started = time.monotonic()
    assert ask().status_code == 200
    assert time.monotonic() - started >= 0.3


def test_status_has_an_error_body_and_optional_retry_after(arm, ask):
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


def test_a_hanging_request_ends_when_its_client_leaves(lml, arm, ask):
    """Other requests are answered meanwhile."""
    arm("hang")
    hanging = http.client.HTTPConnection(lml.url.removeprefix("http://"))
    hanging.request("POST", RESOLVE, json.dumps(BODY), {"Authorization": "Bearer a-key-of-tests"})
    wait_for(lambda: lml.request_log.in_flight == 1, "hanging request")
    assert ask().status_code == 200
    hanging.close()
    wait_for(lambda: lml.request_log.in_flight == 0, "end of the hanging request")
    assert lml.request_log.counts()["by_status"] == {"200": 1, "499": 1}


def test_a_drip_sends_headers_and_the_first_chunk_at_once(arm, client):
    arm("drip", count=5, latency_ms=600_000)
    with client.stream("POST", RESOLVE, json=BODY) as response:
        assert next(response.iter_raw()).startswith(b'{"results"')


def test_a_drip_sends_the_whole_body_in_chunks(arm, ask):
    arm("drip", count=5, latency_ms=100)
    started = time.monotonic()
    assert len(ask().json()["results"]) == 5
    assert time.monotonic() - started >= 0.4


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


def test_a_huge_body_is_valid_json_of_the_requested_size(arm, ask):
    arm("huge_body", count=3)
    response = ask()
    assert len(response.content) > 3 << 20
    assert len(response.json()["results"]) == 5


def test_a_request_with_a_wrong_key_uses_no_fault_up(lml, arm, ask):
    arm("status", status=500)
    assert httpx.post(lml.url + RESOLVE, json=BODY).status_code == 401
    assert ask().status_code == 500


def test_a_star_corrupts_every_batch_endpoint(lml, client):
    lml.faults.arm(Fault(endpoint="*", kind="shifted", times=None))
    lookup_answer = client.post("/api/v1/lookup/bulk", json={"items": [{"raw_message": f"a - {n}"} for n in range(3)]})
    identities = client.post("/api/v1/cache/refresh-for-identities", json={"identity_ids": [1, 2, 3]})
    health = client.get("/health")
    assert [one["index"] for one in lookup_answer.json()["results"]] == [1, 2, 0]
    assert [one["identity_id"] for one in identities.json()["results"]] == [2, 3, 1]
    assert health.json()["status"] == "healthy"
