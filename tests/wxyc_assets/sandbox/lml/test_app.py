"""The wire contract over real HTTP: paths, key, caps, status codes, null values."""

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
    """One server for the whole module: no test here changes what another one sees."""
    with SandboxLml(api_key="a-key-of-tests", discogs=DiscogsConfig(cold_items=0)) as server:
        yield server


@pytest.fixture(scope="module")
def client(lml: SandboxLml) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=lml.url, headers={"Authorization": "Bearer a-key-of-tests"}, timeout=10) as client:
        yield client


GOOD: dict[str, dict[str, object]] = {
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


def test_a_server_without_a_key_needs_none():
    with SandboxLml(api_key=None, commit_sha="8a1344c") as server:
        assert httpx.post(server.url + REFRESH, json=GOOD[REFRESH]).status_code == 200
        assert httpx.get(server.url + "/health").json()["commit_sha"] == "8a1344c"


@pytest.mark.parametrize("path", GOOD)
def test_every_operation_answers_a_good_request(client, path):
    assert client.post(path, json=GOOD[path]).status_code == 200


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"a": NaN}'])
def test_a_body_that_is_not_json_is_400(client, path, body):
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
def test_a_refusal_names_the_field_and_never_its_value(client, field, value):
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


def test_404_and_405_have_the_error_body(client):
    missing, wrong = client.post("/api/v1/nothing", json={}), client.get(REFRESH)
    assert (missing.status_code, wrong.status_code) == (404, 405)
    assert is_error_body(missing)
    assert is_error_body(wrong)


def test_libraries_are_answered_in_the_order_of_the_request(client):
    inputs = [library(number) for number in (9, 3, 3, 500)]
    answer = client.post(RESOLVE, json={"inputs": inputs, "include_tracks": False}).json()
    assert answer["results"] == [verdict(n, f"Artist {n}", f"Album {n}") for n in (9, 3, 3, 500)]
    assert answer["tracks_contract_version"] is None
    assert set(answer["cache_stats"]) == CACHE_STATS
    assert answer["cache_stats"]["api_calls"] == 0


def test_requested_tracks_are_not_attempted(client):
    inputs = [{"library_id": 1, "artist_name": "Various Artists - Rock", "album_title": "Any"}]
    answer = client.post(RESOLVE, json={"inputs": inputs, "include_tracks": True}).json()
    assert answer["tracks_contract_version"] is None
    assert (answer["results"][0]["tracks_attempted"], answer["results"][0]["tracks"]) == (False, [])


def test_bulk_answers_have_an_index_and_errors_a_null_lookup(client):
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


def test_a_single_lookup_answers_like_the_bulk_form(client):
    single = client.post(LOOKUP, json={"raw_message": "Stereolab - Dots"}).json()
    bulk = client.post(BULK, json={"items": [{"raw_message": "x", "artist": "Stereolab", "album": "Dots"}]}).json()
    assert single == bulk["results"][0]["lookup"] | {"cache_stats": single["cache_stats"]}
    assert client.post(LOOKUP, json={"raw_message": ""}).status_code == 422


def test_refresh_has_one_result_per_id_and_null_if_not_found(client):
    ids = [7, 7, refreshes.NOT_FOUND_FROM, 8]
    results = client.post(REFRESH, json={"identity_ids": ids}).json()["results"]
    assert [one["identity_id"] for one in results] == ids
    assert results[0] == results[1]
    assert (results[2]["status"], results[2]["sources"]) == ("not_found", None)


def test_an_identity_is_minted_once_and_then_resolved(client):
    first, again = (client.post(MINT, json=GOOD[MINT] | {"external_id": "31"}).json() for _ in range(2))
    assert first == {"identity_id": refreshes.mint("discogs_release", "31"), "kind": "release", "minted": True}
    assert again == first | {"minted": False}


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "artist"}, {"source": "tidal"}, {"external_id": "0"}, {"external_id": 12}, {"source": "bandcamp"}],
)
def test_an_invalid_identity_is_422(client, wrong):
    response = client.post(MINT, json=GOOD[MINT] | wrong)
    assert response.status_code == 422
    assert is_error_body(response)


@pytest.mark.parametrize("budget", ["", "0", "-5", "nan", "inf", "soon"])
def test_an_invalid_budget_is_ignored(client, budget):
    response = client.post(LOOKUP, json=GOOD[LOOKUP], headers={"X-Caller-Budget-Ms": budget})
    assert response.json()["timeout"] is False
