"""How the assets call LML: what goes over the wire, what comes back, and what happens in between."""

import threading
import time
from contextlib import contextmanager
from itertools import pairwise

import httpx
import pytest

from resources.budget import PostgresBudget
from resources.lml.client import LmlClient
from resources.lml.errors import (
    LmlAuthError,
    LmlBrokenAnswer,
    LmlError,
    LmlRateLimited,
    LmlRequestError,
    LmlServerError,
    LmlTimeout,
    LmlUnavailable,
    LmlUnreachable,
)
from resources.lml.models import LookupItem
from tests.resources.lml.loopback import (
    KEY,
    after,
    answer,
    cut_short,
    drip,
    hang_up,
    libraries,
    reply,
    stats,
)
from tests.resources.lml.test_booking import Purse


class Watch:
    """A SpanFactory that remembers."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, str, dict]] = []

    @contextmanager
    def __call__(self, name, *, op, attributes):
        self.spans.append((name, op, dict(attributes)))
        yield self

    def set(self, name, number) -> None:
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


# --- what goes over the wire ---


def test_libraries_are_asked_for_as_the_contract_says(lml, make):
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


def test_albums_are_looked_up_as_the_contract_says(lml, make):
    item = LookupItem(raw_message="Superchunk - Foolish", artist="Superchunk", album="Foolish")
    make().bulk_lookup([item], budget_ms=25_000, caller="album-level-backfill")
    seen = lml.seen[0]
    assert seen.path == "/api/v1/lookup/bulk"
    assert seen.json == {"items": [{"raw_message": "Superchunk - Foolish", "artist": "Superchunk", "album": "Foolish"}]}
    assert seen.headers["x-caller-budget-ms"] == "25000"
    assert seen.headers["x-caller-class"] == "5"
    assert seen.headers["x-caller-reason"] == "album-level-backfill"


def test_identities_are_refreshed_as_the_contract_says(lml, make):
    make().refresh_for_identities([3, 3, 1])
    assert lml.seen[0].path == "/api/v1/cache/refresh-for-identities"
    assert lml.seen[0].json == {"identity_ids": [3, 3, 1]}
    assert "x-caller-class" not in lml.seen[0].headers


def test_a_release_is_resolved_by_its_id_as_text(lml, make):
    lml.plays = [answer({"identity_id": 12, "kind": "release", "minted": True})]
    assert make().resolve_identity(249504).identity_id == 12
    assert lml.seen[0].path == "/api/v1/identity/resolve"
    assert lml.seen[0].json == {"kind": "release", "source": "discogs_release", "external_id": "249504"}


def test_health_is_asked_without_the_key(lml, make):
    lml.plays = [answer({"status": "healthy", "commit_sha": None}), answer({"status": "unhealthy"}, 503)]
    client = make()
    assert (client.health().status, client.health().status) == ("healthy", "unhealthy")
    assert (lml.seen[0].method, lml.seen[0].path) == ("GET", "/health")
    assert "authorization" not in lml.seen[0].headers


def test_the_probe_refreshes_nothing_and_tells_a_right_key_from_a_wrong_one(lml, make):
    lml.plays = [answer({}, 422), answer({}, 401)]
    purse = Purse(60)
    client = make(client={"budget": purse})
    assert isinstance(caught(client.probe), LmlRequestError)
    assert isinstance(caught(client.probe), LmlAuthError)
    assert lml.seen[0].path == "/api/v1/cache/refresh-for-identities"
    assert lml.seen[0].json == {"identity_ids": []}
    assert lml.seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert purse.events == []


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
def test_what_lml_would_refuse_for_its_size_is_not_sent(lml, make, call):
    with pytest.raises(ValueError, match="batches"):
        call(make())
    assert lml.seen == []


def test_the_caps_themselves_are_sent(lml, make):
    client = make()
    client.bulk_resolve_libraries(libraries(1000))
    client.refresh_for_identities(range(50))
    assert len(lml.seen) == 2


# --- tries ---


def test_what_can_be_mended_by_another_try_is_tried_again_under_the_same_request_id(lml, make):
    lml.plays = [answer({}, 500), hang_up, reply(200, b"<html>"), answer({"results": [1]})]
    got = make(attempts=4).bulk_resolve_libraries(libraries())
    assert (got.results, got.calls) == ([1], 4)
    assert len({seen.headers["x-request-id"] for seen in lml.seen}) == 1
    assert len({seen.body for seen in lml.seen}) == 1


def test_two_calls_have_two_request_ids(lml, make):
    client = make()
    client.bulk_resolve_libraries(libraries())
    client.bulk_resolve_libraries(libraries())
    assert len({seen.headers["x-request-id"] for seen in lml.seen}) == 2


@pytest.mark.parametrize(
    ("play", "kind", "calls"),
    [
        (answer({}, 400), LmlRequestError, 1),
        (answer({}, 401), LmlAuthError, 1),
        (answer({}, 403), LmlAuthError, 1),
        (answer({}, 413), LmlRequestError, 1),
        (answer({}, 422), LmlRequestError, 1),
        (answer({}, 302, Location="/elsewhere"), LmlBrokenAnswer, 1),
        (answer({"results": 3}), LmlBrokenAnswer, 1),
        (reply(200, b"{" + b" " * 5000), LmlBrokenAnswer, 1),
        (answer({}, 429), LmlRateLimited, 3),
        (answer({}, 500), LmlServerError, 3),
        (answer({}, 503), LmlServerError, 3),
        (reply(200, b"<html>"), LmlBrokenAnswer, 3),
        (hang_up, LmlUnreachable, 3),
        (cut_short, LmlUnreachable, 3),
        (drip(b"HTTP/1.1 200 OK\r\n\r\n"), LmlTimeout, 3),
    ],
)
def test_every_failure_is_typed_and_counted_and_tried_as_often_as_it_may_help(lml, make, play, kind, calls):
    lml.always = play
    client = make(timeouts_s={"bulk_resolve_libraries": 0.15}, max_answer_bytes=4000)
    error = caught(client.bulk_resolve_libraries, libraries())
    assert type(error) is kind
    assert (error.calls, error.called, len(lml.seen)) == (calls, True, calls)
    assert error.latency_ms > 0
    assert error.retryable is (calls > 1)


def test_retry_after_is_honoured_and_bounded(lml, make):
    lml.plays = [answer({}, 429, Retry_After="0.2"), answer({}, 503, Retry_After="3600")]
    make(retry_after_max_s=0.4).bulk_resolve_libraries(libraries())
    first, second, third = (seen.at for seen in lml.seen)
    assert 0.2 <= second - first < 0.35
    assert 0.4 <= third - second < 0.6


def test_retry_after_zero_is_no_hammering(lml, make):
    lml.always = answer({}, 503, Retry_After="0")
    caught(make(backoff_initial_s=0.05).bulk_resolve_libraries, libraries())
    assert all(later.at - earlier.at >= 0.05 for earlier, later in pairwise(lml.seen))


def test_latency_counts_the_tries_and_not_the_waits_between_them(lml, make):
    lml.plays = [after(0.05, answer({}, 503, Retry_After="0.5")), after(0.05, answer({"results": []}))]
    got = make(retry_after_max_s=1).bulk_resolve_libraries(libraries())
    assert 100 <= got.latency_ms < 300


def test_each_endpoint_has_its_own_timeout(lml, make):
    lml.always = after(0.3, answer({"results": []}))
    client = make(attempts=1, timeouts_s={"bulk_resolve_libraries": 0.1})
    assert isinstance(caught(client.bulk_resolve_libraries, libraries()), LmlTimeout)
    assert client.refresh_for_identities([1]).results == []


@pytest.mark.parametrize(
    ("call", "seconds"),
    [
        (lambda c: c.bulk_resolve_libraries(libraries()), 30),
        (lambda c: c.bulk_lookup([LookupItem(raw_message="x")] * 5, budget_ms=1, caller="x"), 30),
        (lambda c: c.bulk_lookup([LookupItem(raw_message="x")], budget_ms=1, caller="x"), 10),
        (lambda c: c.refresh_for_identities([1]), 360),
        (lambda c: c.resolve_identity(1), 8),
        (lambda c: c.health(), 10),
    ],
)
def test_the_timeouts_are_the_contracts(config, call, seconds):
    timeouts = []

    def note(request: httpx.Request) -> httpx.Response:
        timeouts.append(request.extensions["timeout"]["read"])
        return httpx.Response(
            200, json={"results": [], "status": "healthy", "identity_id": 1, "kind": "release", "minted": True}
        )

    with LmlClient(config(), transport=httpx.MockTransport(note)) as client:
        call(client)
    assert timeouts == [seconds]


# --- leaving LML alone ---


def test_after_five_failures_in_a_row_no_call_is_made(lml, make):
    lml.always = answer({}, 500)
    client = make(attempts=1)
    for _ in range(5):
        assert isinstance(caught(client.bulk_resolve_libraries, libraries()), LmlServerError)
    refused = caught(client.refresh_for_identities, [1])
    assert isinstance(refused, LmlUnavailable)
    assert (refused.called, refused.calls, refused.latency_ms, refused.retryable) == (False, 0, 0, True)
    assert len(lml.seen) == 5


def test_retries_stop_as_soon_as_lml_is_left_alone(lml, make):
    lml.always = answer({}, 500)
    error = caught(make(attempts=10, breaker_threshold=2).bulk_resolve_libraries, libraries())
    assert (type(error), error.calls, len(lml.seen)) == (LmlServerError, 2, 2)


def test_health_is_asked_even_while_lml_is_left_alone_and_its_answer_changes_nothing(lml, make):
    lml.plays = [answer({}, 500), answer({"status": "healthy"})]
    client = make(attempts=1, breaker_threshold=1)
    caught(client.bulk_resolve_libraries, libraries())
    assert client.health().status == "healthy"
    assert isinstance(caught(client.bulk_resolve_libraries, libraries()), LmlUnavailable)


def test_a_refused_request_does_not_count_against_lml(lml, make):
    client = make(attempts=1, breaker_threshold=2)
    lml.plays = [answer({}, 500), answer({}, 422), answer({}, 500), answer({"results": []})]
    for _ in range(3):
        caught(client.bulk_resolve_libraries, libraries())
    assert client.bulk_resolve_libraries(libraries()).results == []


def test_when_the_time_is_over_one_probe_decides(lml, make):
    lml.plays = [answer({}, 500), after(0.2, answer({"results": []}))]
    client = make(attempts=1, breaker_threshold=1, breaker_open_s=0.1)
    caught(client.bulk_resolve_libraries, libraries())
    time.sleep(0.1)
    outcomes = in_threads(6, lambda: client.bulk_resolve_libraries(libraries()))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BulkResolveAnswer"] + ["LmlUnavailable"] * 5
    assert client.bulk_resolve_libraries(libraries()).results == []


def test_an_interrupted_probe_does_not_block_the_next(config):
    plays = iter([httpx.Response(500), KeyboardInterrupt(), httpx.Response(200, json={"results": []})])

    def play(_: httpx.Request) -> httpx.Response:
        outcome = next(plays)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    settings = config(attempts=1, breaker_threshold=1, breaker_open_s=0)
    with LmlClient(settings, transport=httpx.MockTransport(play)) as client:
        caught(client.bulk_resolve_libraries, libraries())
        with pytest.raises(KeyboardInterrupt):
            client.bulk_resolve_libraries(libraries())
        assert client.bulk_resolve_libraries(libraries()).results == []


def test_a_refused_key_is_never_tried_again(lml, make):
    lml.plays = [answer({}, 401)]
    client = make()
    caught(client.bulk_resolve_libraries, libraries())
    error = caught(client.resolve_identity, 1)
    assert (type(error), error.status, error.called) == (LmlAuthError, 401, False)
    assert len(lml.seen) == 1


# --- the budget ---


def test_every_try_is_booked_before_it_is_made_and_its_wait_is_slept(lml, make):
    purse, slept = Purse(0.25, 0, 0.5, 0), []
    lml.plays = [answer({}, 500), answer({"results": []})]
    make(client={"budget": purse, "pause": slept.append}).bulk_resolve_libraries(libraries())
    assert purse.events == [("reserve", 0.0)] * 4  # after each wait: whether LML asked to be left alone meanwhile
    assert slept == [0.25, 0.5]


@pytest.mark.parametrize(
    ("call", "cost"),
    [
        (lambda c: c.bulk_resolve_libraries(libraries(9)), 0),
        (lambda c: c.bulk_lookup([LookupItem(raw_message="x")] * 9, budget_ms=1, caller="x"), 9),
        (lambda c: c.refresh_for_identities(range(9)), 36),
        (lambda c: c.resolve_identity(1), 0),
    ],
)
def test_each_endpoint_is_booked_at_its_cost(lml, make, call, cost):
    purse = Purse()
    lml.always = answer({"results": [], "identity_id": 1, "kind": "release", "minted": True})
    call(make(client={"budget": purse}))
    assert purse.events[0] == ("reserve", cost)


def test_costs_are_configuration(lml, make):
    purse = Purse()
    make(client={"budget": purse}, cost_refresh_id=2.5, cost_resolve=7).refresh_for_identities([1, 2])
    assert purse.events[0] == ("reserve", 5.0)


def test_an_answer_settles_what_lml_says_that_it_cost(lml, make):
    purse = Purse()
    lml.plays = [answer({"results": [], "cache_stats": stats(2)})]
    make(client={"budget": purse}).bulk_lookup([LookupItem(raw_message="x")] * 5, budget_ms=1, caller="x")
    assert purse.events == [("reserve", 5.0), ("settle", 5.0, 2)]


def test_retry_after_pushes_everybody_back(lml, make):
    purse = Purse()
    lml.plays = [answer({}, 429, Retry_After="17")]
    make(client={"budget": purse}).bulk_resolve_libraries(libraries())
    assert ("penalise", 17.0) in purse.events


def test_a_booking_is_given_back_if_lml_is_left_alone_meanwhile(lml, make):
    client = None

    class Slow(Purse):
        def reserve(self, cost):
            if cost:
                caught(client.bulk_resolve_libraries, libraries())  # another thread's bad luck
            return super().reserve(cost)

    purse = Slow()
    lml.always = answer({}, 500)
    client = make(client={"budget": purse}, attempts=1, breaker_threshold=1)
    assert isinstance(caught(client.refresh_for_identities, [1]), LmlUnavailable)
    assert purse.events == [("reserve", 0.0), ("reserve", 4.0), ("settle", 4.0, 0.0)]
    assert len(lml.seen) == 1


def test_a_call_that_would_be_refused_books_nothing(lml, make):
    purse = Purse()
    lml.always = answer({}, 500)
    client = make(client={"budget": purse}, attempts=1, breaker_threshold=1)
    caught(client.bulk_resolve_libraries, libraries())
    purse.events.clear()
    assert isinstance(caught(client.refresh_for_identities, [1]), LmlUnavailable)
    assert purse.events == []


def test_without_a_budget_no_call_is_made(lml, make):
    class Broke(Purse):
        def reserve(self, cost):  # noqa: ARG002 - a Budget
            raise ConnectionError("the database is gone")

    with pytest.raises(ConnectionError):
        make(client={"budget": Broke()}).bulk_resolve_libraries(libraries())
    assert lml.seen == []


def test_health_is_not_booked(lml, make):
    purse = Purse(60)
    lml.plays = [answer({"status": "healthy"})]
    make(client={"budget": purse}).health()
    assert purse.events == []


# --- many threads ---


def in_threads(count: int, call) -> list:
    outcomes = []

    def run() -> None:
        try:
            outcomes.append(call())
        except Exception as error:  # noqa: BLE001 - the outcome is what is tested
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_calls_of_many_threads_overlap_up_to_the_bound(lml, make):
    lml.always = after(0.05, answer({"results": []}))
    client = make(max_in_flight=4)
    outcomes = in_threads(12, lambda: client.bulk_resolve_libraries(libraries()))
    assert [outcome.results for outcome in outcomes] == [[]] * 12
    assert lml.most_in_flight == 4


def test_starts_are_paced_across_threads(lml, make):
    client = make(pace_s=0.05)
    in_threads(5, lambda: client.bulk_resolve_libraries(libraries()))
    times = sorted(seen.at for seen in lml.seen)
    assert times[-1] - times[0] >= 4 * 0.05 - 0.02


def test_each_thread_gets_the_answer_to_its_own_question(lml, make):
    def echo(handler):
        request_id = handler.headers["X-Request-Id"]
        (asked,) = [seen.json for seen in lml.seen if seen.headers["x-request-id"] == request_id]
        answer({"results": [asked["inputs"][-1]["library_id"]]})(handler)

    lml.always = echo
    client, answers = make(), {}

    def ask(size):
        answers[size] = client.bulk_resolve_libraries(libraries(size)).results

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {size: [size] for size in range(1, 13)}


# --- spans ---


def test_a_resolve_span_carries_its_size_and_every_finite_cache_number(lml, make):
    watch = Watch()
    lml.plays = [answer({"results": [], "cache_stats": {"pg_hits": 3, "warm": True, "pg_time_ms": 1.5, "note": "x"}})]
    make(client={"span": watch}).bulk_resolve_libraries(libraries(2))
    attributes = {"lml.batch_size": 2, "lml.cache.pg_hits": 3, "lml.cache.pg_time_ms": 1.5}
    assert watch.spans == [("lml.bulk_resolve_libraries", "http.client", attributes)]


@pytest.mark.parametrize("odd", [[1, 2], "x", 3, None])
def test_statistics_that_are_no_plain_object_become_no_attributes(lml, make, odd):
    watch = Watch()
    lml.plays = [answer({"results": [], "cache_stats": odd})]
    make(client={"span": watch}).bulk_resolve_libraries(libraries(2))
    assert watch.spans[0][2] == {"lml.batch_size": 2}


def test_the_other_spans_are_named_as_dashboards_know_them(lml, make):
    watch = Watch()
    client = make(client={"span": watch})
    client.refresh_for_identities([1, 2])
    client.bulk_lookup([LookupItem(raw_message="x")], budget_ms=1, caller="job")
    lml.plays = [answer({"identity_id": 1, "kind": "release", "minted": True})]
    client.resolve_identity(1)
    assert watch.spans == [
        ("lml.refresh_for_identities", "http.client", {"lml.batch_size": 2, "lml.batch_timeout_ms": 360_000}),
        ("lml.lookup.bulk", "http.client", {"lml.queue_depth": 0, "lml.bulk.size": 1, "lml.caller": "job"}),
    ]


def test_a_call_is_one_span_however_often_it_is_tried_and_the_error_passes_through_it(lml, make):
    watch = Watch()
    lml.always = answer({}, 500)
    error = caught(make(client={"span": watch}).bulk_resolve_libraries, libraries())
    assert error.retryable
    assert len(watch.spans) == 1


def test_a_closed_client_makes_no_call(lml, make):
    client = make()
    client.close()
    with pytest.raises(LmlUnavailable, match="closed"):
        client.health()
    assert not lml.seen


def test_closing_gives_back_the_place_of_a_call_that_is_still_waiting_for_it(lml, make, station):
    ours, theirs = (PostgresBudget(station.open, per_minute=1) for _ in range(2))
    try:
        theirs.reserve(1)
        client = make(client={"budget": ours}, cost_refresh_id=1.0)
        waiting = threading.Thread(target=lambda: caught(client.refresh_for_identities, [1]))
        waiting.start()
        until(lambda: reserved(station) == 2)
        client.close()
        waiting.join(5)
        assert not waiting.is_alive()
        assert 50 < theirs.reserve(1) < 61  # behind their own, and no longer behind ours
        assert not lml.seen
    finally:
        ours.close()
        theirs.close()


def reserved(station) -> float:
    with station.connect() as connection:
        (cost,) = connection.execute("SELECT sum(c) FROM wxyc_assets.budget, unnest(recent_cost) AS c").fetchone()
    return cost or 0


def until(true) -> None:
    give_up_at = time.monotonic() + 20
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
