"""One event to a Sentry on loopback: what arrives, and the error for an event that does not."""

import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from resources.sentry import SentryConfig
from resources.sentry_sender import SentryEvent, SentrySender, SentrySendError
from tests.sentry_server import free_port, sentry_server

EVENT = SentryEvent(
    event_id="0" * 31 + "1",
    at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    level="error",
    message="library_identity: check answers_trusted failed",
    fingerprint=["wxyc_assets", "library_identity", "answers_trusted"],
    tool="library-identity-consumer",
    run_id="a-run",
    tags={"asset": "library_identity", "alert": "raised"},
    extra={"numbers": {"answers_untrusted": 3}},
)


@pytest.fixture
def sentry():
    with sentry_server() as server:
        yield server


@pytest.fixture
def sender(sentry):
    sender = SentrySender(
        SentryConfig(sentry.dsn, environment="test", release="1.2.3", secrets=("hunter2-the-secret",))
    )
    yield sender
    sender.close()


def test_an_event_arrives_whole(sentry, sender):
    sender.send(EVENT)
    (event,) = sentry.events
    assert event == {
        "event_id": EVENT.event_id, "timestamp": "2026-03-04T05:06:07.000Z", "platform": "python", "logger": "wxyc_assets",
        "level": "error", "environment": "test", "release": "1.2.3", "message": {"formatted": EVENT.message},
        "fingerprint": EVENT.fingerprint, "extra": EVENT.extra,
        "tags": {"repo": "wxyc_assets", "tool": "library-identity-consumer", "run_id": "a-run", **EVENT.tags},
    }  # fmt: skip


def test_an_exception_is_sent_with_its_class(sentry, sender):
    sender.send(replace(EVENT, exception=("TimeoutError", "LML said nothing")))
    assert sentry.events[0]["exception"] == {"values": [{"type": "TimeoutError", "value": "LML said nothing"}]}


def test_secrets_do_not_leave(sentry, sender):
    sender.send(
        replace(
            EVENT,
            message="hunter2-the-secret",
            extra={"url": "postgresql://a:letmein@host/db", "x": "hunter2-the-secret"},
        )
    )
    assert "hunter2" not in str(sentry.events)
    assert "letmein" not in str(sentry.events)


@pytest.mark.parametrize(
    ("code", "headers", "retry_after_s", "refused"),
    [(429, {"Retry_After": "17"}, 17.0, False), (503, {}, None, False), (500, {"Retry_After": "soon"}, None, False),
     (503, {"Retry_After": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0, False), (429, {"Retry_After": "inf"}, 900.0, False),
     (400, {}, None, True), (403, {}, None, True), (413, {}, None, True)],
)  # fmt: skip
def test_an_error_has_retry_after_and_whether_sentry_refused(sentry, sender, code, headers, retry_after_s, refused):
    sentry.refuse(code, **headers)
    with pytest.raises(SentrySendError, match=f"Sentry answered {code}") as raised:
        sender.send(EVENT)
    assert (raised.value.retry_after_s, raised.value.refused) == (retry_after_s, refused)
    sender.send(EVENT)
    assert len(sentry.events) == 1


def test_a_sentry_that_is_down_is_named_without_the_key():
    sender = SentrySender(SentryConfig(f"http://a-public-key@127.0.0.1:{free_port()}/42", secrets=("a-public-key",)))
    with pytest.raises(SentrySendError, match="Sentry cannot be reached: ConnectError") as raised:
        sender.send(EVENT)
    assert (raised.value.retry_after_s, raised.value.refused) == (None, False)
    assert "a-public-key" not in str(raised.value)
    sender.close()


@pytest.mark.parametrize("dsn", [None, "", "nonsense", "https://host/42"])
def test_an_invalid_dsn_is_refused(dsn):
    with pytest.raises(ValueError, match="SENTRY_DSN is not a Sentry DSN"):
        SentrySender(SentryConfig(dsn))


@contextmanager
def raw_server(*parts, pause_s=0.0):
    """Answer every connection with these bytes, with a pause after each, for as long as the peer listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with suppress(OSError):
                while True:
                    peer, _ = listener.accept()
                    with peer, suppress(OSError):
                        peer.recv(65536)
                        for part in parts:
                            peer.sendall(part)
                            time.sleep(pause_s)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://a-public-key@127.0.0.1:{listener.getsockname()[1]}/42"
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: "])
def test_a_dripping_answer_ends_at_the_timeout(start):
    with raw_server(start, *[b"H"] * 600, pause_s=0.05) as dsn:
        sender = SentrySender(SentryConfig(dsn), timeout_s=0.3)
        started = time.monotonic()
        with pytest.raises(SentrySendError, match="Sentry cannot be reached"):
            sender.send(EVENT)
        sender.close()
        assert time.monotonic() - started < 15


def test_the_body_of_an_answer_is_not_read():
    """It may be 400 MB, or never end."""
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n", b"x") as dsn:
        sender = SentrySender(SentryConfig(dsn))
        sender.send(EVENT)
        sender.close()


def test_a_check_in_names_the_monitor_and_its_schedule(sentry, sender):
    sender.check_in("a-monitor", {"type": "interval", "value": 1, "unit": "minute"}, margin_minutes=5)
    (check_in,) = sentry.check_ins
    del check_in["check_in_id"]
    assert check_in == {
        "monitor_slug": "a-monitor", "status": "ok", "environment": "test", "release": "1.2.3",
        "monitor_config": {
            "schedule": {"type": "interval", "value": 1, "unit": "minute"}, "checkin_margin": 5, "timezone": "UTC",
        },
    }  # fmt: skip
