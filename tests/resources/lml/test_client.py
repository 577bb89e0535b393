"""What the client's methods send, and what they return."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx
import pytest

from resources.lml.client import LmlClient
from resources.lml.errors import LmlAuthError, LmlError, LmlRequestError, LmlUnavailable
from resources.lml.models import LibraryInput, LookupItem
from tests.resources.lml.fakes import FakeBudget
from tests.resources.lml.loopback import KEY, answer, libraries, stats


class RecordingSpans:
    """A SpanFactory that records each span as (name, op, attributes), and the errors that leave them."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, dict[str, str | float]]] = []
        self.errors: list[LmlError] = []

    @contextmanager
    def __call__(self, name: str, /, *, op: str, attributes: Mapping[str, str | float]) -> Iterator["RecordingSpans"]:
        self.spans.append((name, op, dict(attributes)))
        try:
            yield self
        except LmlError as error:
            self.errors.append(error)
            raise

    def set(self, name: str, number: float, /) -> None:
        self.spans[-1][2][name] = number


@pytest.fixture
def make(config):
    """Makes a client of the loopback LML: ``make(attempts=1)``, ``make(client={"budget": …})``."""
    clients = []

    def make(client=None, **overrides) -> LmlClient:
        clients.append(LmlClient(config(**overrides), **(client or {})))
        return clients[-1]

    yield make
    for each in clients:
        each.close()


def caught(call, *args, **kwargs) -> LmlError:
    with pytest.raises(LmlError) as info:
        call(*args, **kwargs)
    return info.value


# Requests


def test_libraries_are_requested_as_in_the_contract(lml, make):
    verdict = {"kind": "unresolved", "library_id": 1, "provenance": []}
    lml.plays = [answer({"results": [verdict, 3], "cache_stats": stats(2), "tracks_contract_version": None})]
    got = make().bulk_resolve_libraries(libraries(2))
    seen = lml.seen[0]
    assert (seen.method, seen.path) == ("POST", "/api/v1/identity/bulk-resolve-libraries")
    assert seen.json == {
        "inputs": [
            {"library_id": i, "artist_name": "Superchunk", "album_title": "Foolish", "legacy_release_id": None}
            for i in (1, 2)
        ],
        "include_tracks": False,
    }
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert seen.headers["content-type"] == "application/json"
    assert len(seen.headers["x-request-id"]) == 32
    assert got.results == [verdict, 3]
    assert got.cache_stats.api_calls == 2
    assert (got.calls, got.latency_ms > 0) == (1, True)


def test_albums_are_requested_as_in_the_contract(lml, make):
    item = LookupItem(raw_message="Superchunk - Foolish", artist="Superchunk", album="Foolish")
    make().bulk_lookup([item], budget_ms=25_000, caller="album-level-backfill")
    seen = lml.seen[0]
    assert seen.path == "/api/v1/lookup/bulk"
    assert seen.json == {"items": [{"raw_message": "Superchunk - Foolish", "artist": "Superchunk", "album": "Foolish"}]}
    assert seen.headers["x-caller-budget-ms"] == "25000"
    assert seen.headers["x-caller-class"] == "5"
    assert seen.headers["x-caller-reason"] == "album-level-backfill"


def test_names_are_decoded_in_what_is_asked(lml, make):
    client = make()
    lml.always = answer({"results": []})
    item = LookupItem(raw_message="A &amp; B - C &amp;amp; D", artist="A &amp; B", album="C &amp;amp; D")
    client.bulk_lookup([item], budget_ms=1, caller="x")
    client.bulk_resolve_libraries([LibraryInput(library_id=1, artist_name="A &amp; B", album_title="C &amp;amp; D")])
    looked_up, resolved = (seen.json for seen in lml.seen)
    assert looked_up["items"] == [{"raw_message": "A & B - C &amp; D", "artist": "A & B", "album": "C &amp; D"}]
    (library,) = resolved["inputs"]
    assert (library["artist_name"], library["album_title"]) == ("A & B", "C &amp; D")


def test_refreshes_are_requested_as_in_the_contract(lml, make):
    make().refresh_for_identities([3, 3, 1])
    assert lml.seen[0].path == "/api/v1/cache/refresh-for-identities"
    assert lml.seen[0].json == {"identity_ids": [3, 3, 1]}
    assert "x-caller-class" not in lml.seen[0].headers


def test_a_release_is_resolved_by_its_id_as_text(lml, make):
    lml.plays = [answer({"identity_id": 12, "kind": "release", "minted": True})]
    assert make().resolve_identity(249504).identity_id == 12
    assert lml.seen[0].path == "/api/v1/identity/resolve"
    assert lml.seen[0].json == {"kind": "release", "source": "discogs_release", "external_id": "249504"}


def test_health_is_requested_without_the_key(lml, make):
    lml.plays = [answer({"status": "healthy", "commit_sha": None}), answer({"status": "unhealthy"}, 503)]
    client = make()
    assert (client.health().status, client.health().status) == ("healthy", "unhealthy")
    assert (lml.seen[0].method, lml.seen[0].path) == ("GET", "/health")
    assert "authorization" not in lml.seen[0].headers


def test_the_probe_tells_a_right_key_from_a_wrong_one(lml, make):
    lml.plays = [answer({}, 422), answer({}, 401)]
    budget = FakeBudget(60)
    client = make(client={"budget": budget})
    assert isinstance(caught(client.probe), LmlRequestError)
    assert isinstance(caught(client.probe), LmlAuthError)
    assert lml.seen[0].path == "/api/v1/cache/refresh-for-identities"
    assert lml.seen[0].json == {"identity_ids": []}
    assert lml.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert budget.events == []


def test_no_key_sends_no_bearer(lml, make):
    make(api_key=None).bulk_resolve_libraries(libraries())
    assert "authorization" not in lml.seen[0].headers


def test_any_spelling_of_the_base_url_reaches_the_same_path(lml, make):
    make(base_url=f"{lml.url}/api/v1/").bulk_resolve_libraries(libraries())
    assert lml.seen[0].path == "/api/v1/identity/bulk-resolve-libraries"


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.bulk_resolve_libraries([]),
        lambda c: c.bulk_resolve_libraries(libraries(1001)),
        lambda c: c.bulk_lookup([], budget_ms=1, caller="x"),
        lambda c: c.bulk_lookup([LookupItem(raw_message="x")] * 101, budget_ms=1, caller="x"),
        lambda c: c.refresh_for_identities([]),
        lambda c: c.refresh_for_identities(range(51)),
    ],
)
def test_a_call_larger_than_lml_accepts_is_not_sent(lml, make, call):
    with pytest.raises(ValueError, match="batches"):
        call(make())
    assert lml.seen == []


def test_the_caps_themselves_are_sent(lml, make):
    client = make()
    client.bulk_resolve_libraries(libraries(1000))
    client.refresh_for_identities(range(50))
    assert len(lml.seen) == 2


# Timeouts and costs


@pytest.mark.parametrize(
    ("call", "seconds"),
    [
        (lambda c: c.bulk_resolve_libraries(libraries()), 30),
        (lambda c: c.bulk_lookup([LookupItem(raw_message="x")] * 5, budget_ms=1, caller="x"), 30),
        (lambda c: c.bulk_lookup([LookupItem(raw_message="x")], budget_ms=1, caller="x"), 10),
        (lambda c: c.bulk_lookup([LookupItem(raw_message="x")] * 5, budget_ms=0, caller="x"), 130),
        (lambda c: c.refresh_for_identities([1]), 360),
        (lambda c: c.resolve_identity(1), 8),
        (lambda c: c.health(), 10),
    ],
)
def test_each_endpoint_has_the_timeout_of_the_contract(config, call, seconds):
    timeouts = []

    def note(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"]["read"])
        return httpx.Response(
            200, json={"results": [], "status": "healthy", "identity_id": 1, "kind": "release", "minted": True}
        )

    with LmlClient(config(), transport=httpx.MockTransport(note)) as client:
        call(client)
    assert timeouts == [seconds]
    with LmlClient(config(timeouts_s={"refresh_for_identities": 7}), transport=httpx.MockTransport(note)) as client:
        client.refresh_for_identities([1])
    assert timeouts[1:] == [7]


@pytest.mark.parametrize(
    ("call", "cost"),
    [
        (lambda c: c.bulk_resolve_libraries(libraries(9)), 0),
        (lambda c: c.bulk_lookup([LookupItem(raw_message="x")] * 9, budget_ms=1, caller="x"), 22.5),
        (lambda c: c.refresh_for_identities(range(9)), 36),
        (lambda c: c.resolve_identity(1), 0),
    ],
)
def test_each_endpoint_reserves_its_cost(lml, make, call, cost):
    budget = FakeBudget()
    lml.always = answer({"results": [], "identity_id": 1, "kind": "release", "minted": True})
    call(make(client={"budget": budget}))
    assert budget.events[0] == ("reserve", cost)


def test_costs_are_configuration(lml, make):
    budget = FakeBudget()
    make(client={"budget": budget}, cost_refresh_id=2.5, cost_resolve=7).refresh_for_identities([1, 2])
    assert budget.events[0] == ("reserve", 5.0)


# Spans


def test_a_resolve_span_has_its_size_and_finite_cache_numbers(lml, make):
    recorder = RecordingSpans()
    lml.plays = [answer({"results": [], "cache_stats": {"pg_hits": 3, "warm": True, "pg_time_ms": 1.5, "note": "x"}})]
    make(client={"span": recorder}).bulk_resolve_libraries(libraries(2))
    attributes = {"lml.batch_size": 2, "lml.cache.pg_hits": 3, "lml.cache.pg_time_ms": 1.5}
    assert recorder.spans == [("lml.bulk_resolve_libraries", "http.client", attributes)]


@pytest.mark.parametrize("odd", [[1, 2], "x", 3, None])
def test_statistics_that_are_no_object_become_no_attributes(lml, make, odd):
    recorder = RecordingSpans()
    lml.plays = [answer({"results": [], "cache_stats": odd})]
    make(client={"span": recorder}).bulk_resolve_libraries(libraries(2))
    assert recorder.spans[0][2] == {"lml.batch_size": 2}


def test_the_other_spans_are_named_as_in_the_dashboards(lml, make):
    recorder = RecordingSpans()
    client = make(client={"span": recorder})
    client.refresh_for_identities([1, 2])
    client.bulk_lookup([LookupItem(raw_message="x")], budget_ms=1, caller="job")
    lml.plays = [answer({"identity_id": 1, "kind": "release", "minted": True})]
    client.resolve_identity(1)
    assert recorder.spans == [
        ("lml.refresh_for_identities", "http.client", {"lml.batch_size": 2, "lml.batch_timeout_ms": 360_000}),
        ("lml.lookup.bulk", "http.client", {"lml.queue_depth": 0, "lml.bulk.size": 1, "lml.caller": "job"}),
    ]


def test_all_tries_of_a_call_are_one_span_which_sees_the_error(lml, make):
    recorder = RecordingSpans()
    lml.always = answer({}, 500)
    error = caught(make(client={"span": recorder}).bulk_resolve_libraries, libraries())
    assert (len(recorder.spans), error.calls) == (1, 3)
    assert recorder.errors == [error]


def test_a_closed_client_makes_no_call(lml, make):
    client = make()
    client.close()
    with pytest.raises(LmlUnavailable, match="closed"):
        client.health()
    assert not lml.seen
