from wxyc_assets.sandbox.lml.traffic import Traffic


def test_only_the_last_requests_are_kept_and_bodies_only_on_demand():
    traffic = Traffic(keep=2)
    for number in range(4):
        traffic.record("POST", f"/{number}", {}, b"body")
    assert [(one.path, one.body) for one in traffic.requests()] == [("/2", None), ("/3", None)]


def test_the_key_is_never_kept(client, lml):
    client.post("/api/v1/lookup", json={"raw_message": "a - b"}, headers={"X-Caller-Class": "2"})
    (request,) = lml.requests
    assert (request.method, request.path, request.body) == ("POST", "/api/v1/lookup", b'{"raw_message":"a - b"}')
    assert request.headers["x-caller-class"] == "2"
    assert request.headers["authorization"] == "***"
    assert "a-key-of-tests" not in repr(lml.requests)


def test_the_peak_of_requests_in_flight_is_remembered():
    traffic = Traffic()
    traffic.enter("lookup")
    traffic.enter("lookup")
    traffic.leave(200)
    traffic.enter("health")
    assert (traffic.in_flight, traffic.in_flight_peak) == (2, 2)
