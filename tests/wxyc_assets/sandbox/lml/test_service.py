"""The operations of the sandbox LML: what they spend at Discogs, and what a budget cuts off."""

import httpx
import pytest

from wxyc_assets.sandbox.lml import refreshes
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.lml.service import _item_limit_s

BULK = "/api/v1/lookup/bulk"
LOOKUP = "/api/v1/lookup"
REFRESH = "/api/v1/cache/refresh-for-identities"
ALBUM = {"raw_message": "Stereolab - Dots"}

COLD = DiscogsConfig(limit_calls=2, limit_window_s=60, call_latency_ms=1, cold_items=None)


def test_a_cold_item_costs_calls_only_once():
    with SandboxLml(api_key=None, discogs=COLD) as server:
        first, again = (httpx.post(server.url + LOOKUP, json=ALBUM).json()["cache_stats"] for _ in range(2))
        assert (first["api_calls"], first["pg_misses"], first["pg_hits"]) == (1, 1, 0)
        assert (again["api_calls"], again["pg_misses"], again["pg_hits"]) == (0, 0, 1)
        assert server.discogs.log.by_endpoint() == {"lookup": 1}


def test_an_exceeded_budget_degrades_the_unanswered_items_only():
    with SandboxLml(api_key=None, discogs=COLD) as server:
        items = [{"raw_message": f"Artist {number} - Album {number}"} for number in range(5)]
        answer = httpx.post(server.url + BULK, json={"items": items}, headers={"X-Caller-Budget-Ms": "700"}).json()
        flags = [(one["lookup"]["timeout"], one["lookup"]["degraded_reason"]) for one in answer["results"]]
        assert flags == [(False, None)] * 2 + [(True, "deadline_exceeded")] * 3
        assert [one["status"] for one in answer["results"]][2:] == ["no_match"] * 3
        assert answer["cache_stats"]["api_calls"] == 2
        assert server.discogs.log.total == 2


def test_a_budget_gives_an_item_4_s_at_most():
    assert [_item_limit_s(budget_s) for budget_s in (None, 25, 4.2, 1.0, 0.2, 0.0)] == pytest.approx(
        [25, 4, 4, 0.8, 0, 0]
    )


@pytest.mark.parametrize("state", ["open", "half_open"])
def test_an_open_breaker_answers_from_the_cache_alone(state):
    """It makes no call. Health shows its state, also null if LML has none."""
    with SandboxLml(api_key=None, discogs=COLD) as server:
        httpx.post(server.url + LOOKUP, json=ALBUM)
        assert httpx.post(server.url + "/sandbox/breaker", json={"state": state}).json() == {"state": state}
        assert httpx.get(server.url + "/health").json()["discogs_breaker_state"] == state
        items = [ALBUM, {"raw_message": "Stereolab - Peng"}]
        answer = httpx.post(server.url + BULK, json={"items": items}).json()
        assert [one["lookup"]["degraded_reason"] for one in answer["results"]] == [None, "upstream_unavailable"]
        (refreshed,) = httpx.post(server.url + REFRESH, json={"identity_ids": [COSTLY]}).json()["results"]
        assert refreshed["status"] == "error"
        assert server.discogs.log.total == 1
        httpx.post(server.url + "/sandbox/breaker", json={"state": None})
        assert httpx.get(server.url + "/health").json()["discogs_breaker_state"] is None
        assert httpx.post(server.url + LOOKUP, json=items[1]).json()["degraded_reason"] is None


def test_an_unknown_breaker_state_is_refused():
    with SandboxLml(api_key=None) as server:
        assert httpx.post(server.url + "/sandbox/breaker", json={"state": "ajar"}).status_code == 422
        assert httpx.get(server.url + "/sandbox/state").json()["breaker_state"] == "closed"


COSTLY = next(identity_id for identity_id in range(1, 100) if refreshes.discogs_calls(identity_id) > 2)


def test_an_exceeded_refresh_budget_is_an_identity_error():
    with SandboxLml(api_key=None, discogs=COLD) as server:
        headers = {"X-Caller-Budget-Ms": "200"}
        (answer,) = httpx.post(server.url + REFRESH, json={"identity_ids": [COSTLY]}, headers=headers).json()["results"]
        assert answer["status"] == "error"
        assert answer["sources"]["discogs"]["release_outcome"] == "error"


def test_without_a_budget_callers_wait_for_the_shared_limit():
    config = DiscogsConfig(limit_calls=2, limit_window_s=0.4, call_latency_ms=1, cold_items=None)
    with SandboxLml(api_key=None, discogs=config) as server:
        items = [{"raw_message": f"Artist {number} - Album {number}"} for number in range(5)]
        httpx.post(server.url + BULK, json={"items": items})
        httpx.post(server.url + LOOKUP, json=ALBUM)
        calls = server.discogs.log.recent()
        assert len(calls) == 6
        assert server.discogs.log.peak == 2
        assert calls[-1].at_ns - calls[0].at_ns >= 0.8e9


@pytest.mark.parametrize("tracks", [False, True])
@pytest.mark.parametrize("include_tracks", [False, True])
def test_lml_sends_tracks_only_if_it_is_asked(tracks, include_tracks):
    """Today's LML says that it did not attempt them, and names no version of the contract."""
    inputs = [
        {"library_id": 1, "artist_name": "Various Artists", "album_title": "No New York"},
        {"library_id": 2, "artist_name": "Stereolab", "album_title": "Dots and Loops"},
    ]
    with SandboxLml(api_key=None, tracks=tracks) as server:
        body = {"inputs": inputs, "include_tracks": include_tracks}
        answer = httpx.post(f"{server.url}/api/v1/identity/bulk-resolve-libraries", json=body).json()
    compilation, artist = answer["results"]
    assert answer["tracks_contract_version"] == (1 if tracks else None)
    assert compilation.get("tracks_attempted") == (tracks if include_tracks else None)
    assert bool(compilation.get("tracks")) == (tracks and include_tracks)
    assert not artist.get("tracks")
