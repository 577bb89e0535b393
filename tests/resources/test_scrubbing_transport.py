"""Every kind of envelope item leaves without secrets, or not at all."""

import json

import pytest
from sentry_sdk.envelope import Envelope, Item, PayloadRef

from resources.redaction import JsonValue, Redactor
from resources.scrubbing_transport import ScrubbingTransport
from tests.resources.sentry_collector import KEY, Collector, parsed


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.mark.parametrize(
    "item",
    [
        Item(type="event", payload=PayloadRef(json={"message": KEY, "number": float("nan")})),
        Item(type="transaction", payload=PayloadRef(json={"transaction": KEY, "spans": [{"data": {KEY: KEY}}]})),
        Item(type="span", payload=PayloadRef(json={"items": [{"name": KEY}]}), headers={"item_count": 1}),
        Item(type="log", payload=PayloadRef(json={"items": [{"body": KEY}]})),
        Item(type="session", payload=PayloadRef(json={"attrs": {"release": KEY}})),
        Item(type="check_in", payload=PayloadRef(json={"monitor_slug": KEY})),
        Item(type="client_report", payload=PayloadRef(json={"discarded_events": [{"reason": KEY}]})),
        Item(type="attachment", payload=json.dumps({"k": KEY}).encode(), filename=f"{KEY}.json"),
        Item(type="attachment", payload=f'"Authorization: {KEY}'.encode()),
        Item(type="a kind of next year", payload=f'["{KEY}"]'.encode()),
    ],
    ids=lambda item: item.type,
)
def test_every_kind_of_item_is_scrubbed_with_its_headers(collector, item):
    gate = ScrubbingTransport(collector, Redactor([KEY]))
    gate.capture_envelope(Envelope(headers={"trace": {"transaction": KEY}}, items=[item]))
    (body,) = collector.bodies
    assert KEY.encode() not in body
    assert body.count(b"[redacted]") >= 2
    assert json.loads(body.splitlines()[1])["type"] == item.type


def test_an_item_that_cannot_be_scrubbed_is_dropped_alone(collector):
    class Faulty(Redactor):
        def plain(self, value: object) -> JsonValue:
            if value == {"message": "trips the scrubber"}:
                raise RuntimeError
            return super().plain(value)

    items = [
        Item(type="attachment", payload=b"\xff\xfe" + KEY.encode()),
        Item(type="event", payload=PayloadRef(json={"message": "trips the scrubber"})),
        Item(type="session", payload=PayloadRef(json={"sid": "1"})),
    ]
    ScrubbingTransport(collector, Faulty([KEY])).capture_envelope(Envelope(items=items))
    (body,) = collector.bodies
    assert [header["type"] for header, _ in parsed(body)] == ["session"]
    ScrubbingTransport(collector, Faulty([KEY])).capture_envelope(Envelope(items=items[:2]))
    assert len(collector.bodies) == 1


def test_the_inner_transport_is_asked_for_everything_else():
    class Inner(Collector):
        def __init__(self) -> None:
            super().__init__()
            self.calls: list[object] = []

        def flush(self, timeout: float, callback: object = None) -> None:  # noqa: ARG002 - a Transport
            self.calls.append(("flush", timeout))

        def kill(self) -> None:
            self.calls.append("kill")

        def record_lost_event(self, *args: object, **kwargs: object) -> None:  # noqa: ARG002 - a Transport
            self.calls.append("lost")

        def is_healthy(self) -> bool:
            return False

    inner = Inner()
    scrubbing = ScrubbingTransport(inner, Redactor())
    scrubbing.flush(3)
    scrubbing.kill()
    scrubbing.record_lost_event("queue_overflow")
    assert inner.calls == [("flush", 3), "kill", "lost"]
    assert not scrubbing.is_healthy()
