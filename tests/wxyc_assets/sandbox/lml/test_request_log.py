"""The log of requests: the last ones, redacted, and the number in flight."""

from wxyc_assets.sandbox.lml.request_log import RequestLog


def test_the_log_holds_the_last_requests_without_bodies():
    log = RequestLog(keep=2)
    for number in range(4):
        log.record("POST", f"/{number}", {}, b"body")
    assert [(one.path, one.body) for one in log.requests()] == [("/2", None), ("/3", None)]


def test_the_log_never_holds_the_key(client, lml):
    client.post("/api/v1/lookup", json={"raw_message": "a - b"}, headers={"X-Caller-Class": "2"})
    (request,) = lml.requests
    assert (request.method, request.path, request.body) == ("POST", "/api/v1/lookup", b'{"raw_message":"a - b"}')
    assert request.headers["x-caller-class"] == "2"
    assert request.headers["authorization"] == "***"
    assert "a-key-of-tests" not in repr(lml.requests)


def test_the_peak_of_requests_in_flight_stays():
    log = RequestLog()
    log.begin("lookup")
    log.begin("lookup")
    log.end(200)
    log.begin("health")
    assert (log.in_flight, log.in_flight_peak) == (2, 2)
