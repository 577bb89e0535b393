"""The wire contract over real HTTP: paths, key, caps, status codes, null spellings."""

import json
from collections.abc import Iterator

import httpx
import pytest

from wxyc_assets.sandbox.lml import refreshes
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.lml.verdicts import verdict

RESOLVE = "/api/v1/identity/bulk-resolve-libraries"
BULK = "/api/v1/lookup/bulk"
LOOKUP = "/api/v1/lookup"
REFRESH = "/api/v1/cache/refresh-for-identities"
MINT = "/api/v1/identity/resolve"
CACHE_STATS = {"memory_hits", "pg_hits", "pg_misses", "pg_time_ms", "api_calls", "api_time_ms"}


@pytest.fixture(scope="module")
def lml() -> Iterator[SandboxLml]:
    """One server for the whole page: nothing here leaves a trace that another test would see."""
    with SandboxLml(api_key="a-key-of-tests", discogs=DiscogsConfig(cold_items=0)) as server:
        yield server


@pytest.fixture(scope="module")
def client(lml: SandboxLml) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=lml.url, headers={"Authorization": "Bearer a-key-of-tests"}, timeout=10) as client:
        yield client


GOOD = {
    RESOLVE: {
        "inputs": [{"library_id": 1, "artist_name": "Stereolab", "album_title": "Dots", "legacy_release_id": None}]
    },
    BULK: {"items": [{"artist": "Stereolab", "album": "Dots", "raw_message": "Stereolab - Dots"}]},
    LOOKUP: {"raw_message": "Stereolab - Dots"},
    REFRESH: {"identity_ids": [1]},
    MINT: {"kind": "release", "source": "discogs_release", "external_id": "12"},
}


def library(number):
    return {"library_id": number, "artist_name": f"Artist {number}", "album_title": f"Album {number}"}


def is_error_body(response):
    body = response.json()
    return isinstance(body["message"], str) and body["message"] and isinstance(body["code"], str)


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic a-key-of-tests"}])
def test_every_operation_refuses_a_missing_or_wrong_key(lml, path, headers):
    response = httpx.post(lml.url + path, json=GOOD[path], headers=headers)
    assert response.status_code == 401
    assert is_error_body(response)


def test_health_needs_no_key(lml):
    response = httpx.get(lml.url + "/health")
    assert response.status_code == 200
    assert response.json()["status"] == "healthy"
    assert response.json()["commit_sha"] is None


def test_a_server_without_a_key_asks_for_none():
    with SandboxLml(api_key=None, commit_sha="8a1344c") as server:
        assert httpx.post(server.url + REFRESH, json=GOOD[REFRESH]).status_code == 200
        assert httpx.get(server.url + "/health").json()["commit_sha"] == "8a1344c"


@pytest.mark.parametrize("path", GOOD)
def test_every_operation_answers_a_good_request(client, path):
    assert client.post(path, json=GOOD[path]).status_code == 200


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a": NaN}'])
def test_what_is_not_json_is_400(client, path, body):
    response = client.post(path, content=body)
    assert response.status_code == 400
    assert is_error_body(response)


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("body", [[], {}, None, 3, {"inputs": {}, "items": 1, "identity_ids": "1", "raw_message": 1}])
def test_json_of_the_wrong_shape_is_422(client, path, body):
    response = client.post(path, content=json.dumps(body))
    assert response.status_code == 422
    assert is_error_body(response)


@pytest.mark.parametrize(
    ("field", "value"),
    [("library_id", "1"), ("library_id", True), ("library_id", 1.5), ("artist_name", None), ("album_title", 3)],
)
def test_a_refused_field_is_named_and_its_value_is_not_echoed(client, field, value):
    secret = "never-to-be-echoed"
    inputs = [library(1), library(2) | {field: value, "artist_name": value if field == "artist_name" else secret}]
    response = client.post(RESOLVE, json={"inputs": inputs})
    assert response.status_code == 422
    assert response.json()["details"][0]["field"] == f"inputs.1.{field}"
    assert secret not in response.text


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (RESOLVE, {"inputs": [library(n) for n in range(1000)]}, 200),
        (RESOLVE, {"inputs": [library(n) for n in range(1001)]}, 413),
        (RESOLVE, {"inputs": ["nonsense"] * 1001}, 413),
        (RESOLVE, {"inputs": []}, 422),
        (BULK, {"items": [{"raw_message": "a - b"}] * 100}, 200),
        (BULK, {"items": [{"raw_message": "a - b"}] * 101}, 400),
        (BULK, {"items": []}, 422),
        (REFRESH, {"identity_ids": [1] * 50}, 200),
        (REFRESH, {"identity_ids": [1] * 51}, 400),
        (REFRESH, {"identity_ids": []}, 422),
    ],
)
def test_caps_and_their_status_codes(client, path, body, status):
    response = client.post(path, json=body)
    assert response.status_code == status
    assert status == 200 or is_error_body(response)


def test_unknown_paths_are_404_and_other_methods_405_with_lmls_error_body(client):
    missing, wrong = client.post("/api/v1/nothing", json={}), client.get(REFRESH)
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert is_error_body(missing)
    assert is_error_body(wrong)


def test_libraries_are_answered_in_the_order_asked_with_their_verdicts_and_lmls_nulls(client):
    inputs = [library(number) for number in (9, 3, 3, 500)]
    answer = client.post(RESOLVE, json={"inputs": inputs, "include_tracks": False}).json()
    assert answer["results"] == [verdict(n, f"Artist {n}", f"Album {n}") for n in (9, 3, 3, 500)]
    assert answer["tracks_contract_version"] is None
    assert set(answer["cache_stats"]) == CACHE_STATS
    assert answer["cache_stats"]["api_calls"] == 0


def test_tracks_that_were_asked_for_are_not_visited(client):
    inputs = [{"library_id": 1, "artist_name": "Various Artists - Rock", "album_title": "Any"}]
    answer = client.post(RESOLVE, json={"inputs": inputs, "include_tracks": True}).json()
    assert answer["tracks_contract_version"] is None
    assert (answer["results"][0]["tracks_attempted"], answer["results"][0]["tracks"]) == (False, [])


def test_bulk_lookup_answers_carry_their_index_and_an_error_has_a_null_lookup(client):
    items = [
        {"raw_message": "Stereolab - Dots"},
        {"raw_message": " "},
        {"raw_message": "x", "artist": "A", "album": "B"},
    ]
    answer = client.post(BULK, json={"items": items}, params={"allow_release_resolution_fallback": "true"}).json()
    assert [one["index"] for one in answer["results"]] == [0, 1, 2]
    assert [one["status"] for one in answer["results"]] == ["match", "error", "match"]
    assert answer["results"][1]["lookup"] is None
    assert answer["results"][1]["message"]
    assert set(answer["cache_stats"]) == CACHE_STATS


def test_single_lookup_answers_as_the_bulk_form_does(client):
    single = client.post(LOOKUP, json={"raw_message": "Stereolab - Dots"}).json()
    bulk = client.post(BULK, json={"items": [{"raw_message": "x", "artist": "Stereolab", "album": "Dots"}]}).json()
    assert single == bulk["results"][0]["lookup"] | {"cache_stats": single["cache_stats"]}
    assert client.post(LOOKUP, json={"raw_message": ""}).status_code == 422


def test_refresh_gives_every_id_a_result_of_its_own_and_not_found_null_sources(client):
    ids = [7, 7, refreshes.NOT_FOUND_FROM, 8]
    results = client.post(REFRESH, json={"identity_ids": ids}).json()["results"]
    assert [one["identity_id"] for one in results] == ids
    assert results[0] == results[1]
    assert (results[2]["status"], results[2]["sources"]) == ("not_found", None)


def test_an_identity_is_minted_once_and_resolved_to_the_same_id_afterwards(client):
    first, again = (client.post(MINT, json=GOOD[MINT] | {"external_id": "31"}).json() for _ in range(2))
    assert first == {"identity_id": refreshes.mint("discogs_release", "31"), "kind": "release", "minted": True}
    assert again == first | {"minted": False}


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "artist"}, {"source": "tidal"}, {"external_id": "0"}, {"external_id": 12}, {"source": "bandcamp"}],
)
def test_what_cannot_be_an_identity_is_422(client, wrong):
    response = client.post(MINT, json=GOOD[MINT] | wrong)
    assert response.status_code == 422
    assert is_error_body(response)


COLD = DiscogsConfig(limit_calls=2, limit_window_s=60, call_latency_ms=1, cold_items=None)


def test_a_cold_item_costs_calls_and_the_same_item_is_warm_afterwards():
    with SandboxLml(api_key=None, discogs=COLD) as server:
        first, again = (httpx.post(server.url + LOOKUP, json=GOOD[LOOKUP]).json()["cache_stats"] for _ in range(2))
        assert (first["api_calls"], first["pg_misses"], first["pg_hits"]) == (1, 1, 0)
        assert (again["api_calls"], again["pg_misses"], again["pg_hits"]) == (0, 0, 1)
        assert server.discogs.log.by_endpoint() == {"lookup": 1}


def test_a_budget_that_runs_out_gives_degraded_items_beside_those_that_were_answered():
    with SandboxLml(api_key=None, discogs=COLD) as server:
        items = [{"raw_message": f"Artist {number} - Album {number}"} for number in range(5)]
        answer = httpx.post(server.url + BULK, json={"items": items}, headers={"X-Caller-Budget-Ms": "300"}).json()
        flags = [(one["lookup"]["timeout"], one["lookup"]["degraded_reason"]) for one in answer["results"]]
        assert flags == [(False, None)] * 2 + [(True, "deadline_exceeded")] * 3
        assert [one["status"] for one in answer["results"]][2:] == ["no_match"] * 3
        assert answer["cache_stats"]["api_calls"] == 2
        assert server.discogs.log.total == 2


COSTLY = next(identity_id for identity_id in range(1, 100) if refreshes.calls_of(identity_id) > 2)


def test_a_refresh_whose_budget_runs_out_is_an_error_of_that_identity():
    with SandboxLml(api_key=None, discogs=COLD) as server:
        headers = {"X-Caller-Budget-Ms": "200"}
        (answer,) = httpx.post(server.url + REFRESH, json={"identity_ids": [COSTLY]}, headers=headers).json()["results"]
        assert answer["status"] == "error"
        assert answer["sources"]["discogs"]["release_outcome"] == "error"


def test_without_a_budget_callers_wait_for_the_limit_that_all_share():
    config = DiscogsConfig(limit_calls=2, limit_window_s=0.4, call_latency_ms=1, cold_items=None)
    with SandboxLml(api_key=None, discogs=config) as server:
        items = [{"raw_message": f"Artist {number} - Album {number}"} for number in range(5)]
        httpx.post(server.url + BULK, json={"items": items})
        httpx.post(server.url + LOOKUP, json=GOOD[LOOKUP])
        calls = server.discogs.log.recent()
        assert len(calls) == 6
        assert server.discogs.log.peak == 2
        assert calls[-1].at_ns - calls[0].at_ns >= 0.8e9


@pytest.mark.parametrize("budget", ["", "0", "-5", "nan", "inf", "soon"])
def test_a_senseless_budget_is_no_budget(client, budget):
    response = client.post(LOOKUP, json=GOOD[LOOKUP], headers={"X-Caller-Budget-Ms": budget})
    assert response.json()["timeout"] is False
