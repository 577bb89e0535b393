"""One event to a Sentry on loopback: what arrives, and what is said of what does not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from resources.sentry import SentryConfig
from resources.sentry_post import SentryEvent, SentryPost, SentryPostError
from tests.sentry_server import free_port, sentry_server

EVENT = SentryEvent(
    event_id="0" * 31 + "1",
    at=datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
    level="error",
    message="library_identity: check answers_trusted failed",
    fingerprint=["wxyc_assets", "library_identity", "answers_trusted"],
    tags={"asset": "library_identity", "alert": "raised"},
    extra={"numbers": {"answers_untrusted": 3}},
)


@pytest.fixture
def sentry():
    with sentry_server() as server:
        yield server


@pytest.fixture
def post(sentry):
    post = SentryPost(SentryConfig(sentry.dsn, environment="test", release="1.2.3", secrets=("hunter2-the-secret",)))
    yield post
    post.close()


def test_an_event_arrives_whole(sentry, post):
    post.send(EVENT)
    (event,) = sentry.events
    assert event == {
        "event_id": EVENT.event_id, "timestamp": "2026-03-04T05:06:07.000Z", "platform": "python", "logger": "wxyc_assets",
        "level": "error", "environment": "test", "release": "1.2.3", "message": {"formatted": EVENT.message},
        "fingerprint": EVENT.fingerprint, "tags": EVENT.tags, "extra": EVENT.extra,
    }  # fmt: skip


def test_an_exception_is_told_by_its_class(sentry, post):
    post.send(replace(EVENT, exception=("TimeoutError", "LML said nothing")))
    assert sentry.events[0]["exception"] == {"values": [{"type": "TimeoutError", "value": "LML said nothing"}]}


def test_secrets_do_not_leave(sentry, post):
    post.send(
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
     (400, {}, None, True), (403, {}, None, True), (413, {}, None, True)],
)  # fmt: skip
def test_what_sentry_answers_is_passed_on(sentry, post, code, headers, retry_after_s, refused):
    sentry.refuse(code, **headers)
    with pytest.raises(SentryPostError, match=f"Sentry answered {code}") as raised:
        post.send(EVENT)
    assert (raised.value.retry_after_s, raised.value.refused) == (retry_after_s, refused)
    post.send(EVENT)
    assert len(sentry.events) == 1


def test_a_sentry_that_is_down_is_named_without_the_key():
    post = SentryPost(SentryConfig(f"http://a-public-key@127.0.0.1:{free_port()}/42", secrets=("a-public-key",)))
    with pytest.raises(SentryPostError, match="Sentry cannot be reached: ConnectError") as raised:
        post.send(EVENT)
    assert (raised.value.retry_after_s, raised.value.refused) == (None, False)
    assert "a-public-key" not in str(raised.value)
    post.close()


@pytest.mark.parametrize("dsn", [None, "", "nonsense", "https://host/42"])
def test_what_is_no_dsn_is_refused(dsn):
    with pytest.raises(ValueError, match="SENTRY_DSN is not a Sentry DSN"):
        SentryPost(SentryConfig(dsn))
