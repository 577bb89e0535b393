"""What a reply is read as: an answer, or an error."""

import base64
import json
from datetime import UTC, datetime

import pytest

from resources.lml.answers import parse_retry_after, read_answer
from resources.lml.endpoints import HEALTH, RESOLVE_LIBRARIES
from resources.lml.errors import (
    LmlAuthError,
    LmlBrokenAnswer,
    LmlError,
    LmlRateLimited,
    LmlRequestError,
    LmlServerError,
)
from resources.lml.models import BulkResolveAnswer, Health
from resources.lml.transport import Reply
from resources.redaction import Redactor
from tests.resources.lml.loopback import KEY

ENCODINGS = [
    str,
    lambda key: key.replace("-", "%2d"),
    lambda key: "".join(f"%{ord(sign):02X}" for sign in key),
    lambda key: "".join(f"\\u{ord(sign):04x}" for sign in key),
    lambda key: base64.b64encode(key.encode()).decode(),
    lambda key: base64.urlsafe_b64encode(b">" + key.encode()).decode()[2:],
    lambda key: key.encode().hex(),
]

NOW = datetime(2026, 6, 8, 10, 0, 0, tzinfo=UTC)


def read(status: int, body: bytes = b"{}", retry_after: str | None = None, problem: str | None = None):
    reply = Reply(status, retry_after, body, problem)
    return read_answer(reply, RESOLVE_LIBRARIES, BulkResolveAnswer, redactor=Redactor([KEY]))[0]


def error(*args, **kwargs) -> LmlError:
    with pytest.raises(LmlError) as caught:
        read(*args, **kwargs)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, LmlRequestError, False),
        (401, LmlAuthError, False),
        (403, LmlAuthError, False),
        (404, LmlRequestError, False),
        (413, LmlRequestError, False),
        (422, LmlRequestError, False),
        (429, LmlRateLimited, True),
        (499, LmlRequestError, False),
        (500, LmlServerError, True),
        (502, LmlServerError, True),
        (503, LmlServerError, True),
        (504, LmlServerError, True),
        (201, LmlBrokenAnswer, False),
        (204, LmlBrokenAnswer, False),
        (307, LmlBrokenAnswer, False),
    ],
)
def test_each_status_is_one_kind_of_error(status, kind, retryable):
    caught = error(status)
    assert (type(caught), caught.status, caught.retryable, caught.called) == (kind, status, retryable, True)


def test_an_error_quotes_lml_on_one_short_line_without_the_key():
    body = b'{"message": "bad\\nkey ' + KEY.encode() + b" " + b"x" * 500 + b'", "code": "E1"}'
    text = str(error(422, body))
    assert '"bad key [redacted] xxx' in text
    assert KEY not in text
    assert "\n" not in text
    assert len(text) < 400


def test_a_key_at_the_end_of_the_quote_leaves_no_beginning():
    body = b'{"message": "' + b"x" * 190 + KEY.encode() + b'"}'
    assert KEY[:4] not in str(error(500, body))


@pytest.mark.parametrize("spell", ENCODINGS)
def test_an_answer_and_an_error_have_no_key_in_any_encoding(spell):
    echoed = f"refused {spell(KEY)}, look"
    body = json.dumps({"results": [echoed, {echoed: [7, echoed]}], "message": echoed}).encode()
    results = str(read(200, body).results)
    assert spell(KEY) not in results
    assert results.count("refused [redacted], look") == 3
    assert '"refused [redacted], look"' in str(error(500, body))


def test_an_answer_without_the_key_is_the_very_same():
    body = b'{"results": ["100%20", "\\u0041&amp;", 12345678901234567890123, "\\ud800"]}'
    assert read(200, body).results == ["100%20", "A&amp;", 12345678901234567890123, "\ud800"]


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"results": [', b"\xff\xfe"])
def test_a_body_that_is_no_json_is_retryable(body):
    caught = error(200, body)
    assert (type(caught), caught.status, caught.retryable) == (LmlBrokenAnswer, 200, True)


def test_a_body_nested_too_deep_blames_a_part_of_the_batch():
    caught = error(200, b'{"results": [' + b"[" * 10_000 + b"]" * 10_000 + b"]}")
    assert (type(caught), caught.retryable, caught.divisible) == (LmlBrokenAnswer, False, True)


@pytest.mark.parametrize("body", [b"null", b"[]", b"3", b"{}", b'{"results": null}', b'{"results": {"0": 1}}'])
def test_a_wrong_envelope_is_not_retryable(body):
    caught = error(200, body)
    assert (type(caught), caught.status, caught.retryable) == (LmlBrokenAnswer, 200, False)


def test_a_wrong_envelope_is_named_by_place_and_not_by_value():
    assert "breaks the contract at results;" in str(error(200, b'{"results": "secret words"}'))
    assert "secret words" not in str(error(200, b'{"results": "secret words"}'))


def test_a_nan_or_lone_surrogate_does_not_lose_its_siblings():
    answer = read(200, b'{"results": [{"confidence": NaN}, {"method": "\\ud800"}, {"library_id": 3}]}')
    assert len(answer.results) == 3
    assert answer.results[2] == {"library_id": 3}


def test_an_unread_body_is_broken_unless_its_status_is_an_error():
    caught = error(200, b"", problem="is larger than 9 bytes")
    assert (type(caught), caught.retryable) == (LmlBrokenAnswer, False)
    assert "is larger than 9 bytes" in str(caught)
    assert isinstance(error(503, b"", problem="is larger than 9 bytes"), LmlServerError)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("Mon, 08 Jun 2026 10:00:30 GMT", 30.0),
        ("Monday, 08-Jun-26 10:00:30 GMT", 30.0),
        ("Mon, 08 Jun 2026 10:00:30 -0000", 30.0),
        ("Mon, 08 Jun 2026 09:00:00 GMT", 0.0),
        ("", None),
        (None, None),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("nan", None),
        ("٣", None),
        ("9" * 400, None),
        ("Mon, 99 Jun 2026 10:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text, seconds):
    assert parse_retry_after(text, NOW) == seconds


@pytest.mark.parametrize(("status", "seconds"), [(429, 7.0), (503, 7.0), (400, None)])
def test_retry_after_is_unbounded_and_only_of_429_and_5xx(status, seconds):
    assert error(status, retry_after="7").retry_after_s == seconds


def test_a_503_of_lml_is_a_health_and_one_of_a_proxy_is_not():
    reply = Reply(503, None, b'{"status": "unhealthy"}')
    assert read_answer(reply, HEALTH, Health, redactor=Redactor())[0].status == "unhealthy"
    with pytest.raises(LmlServerError):
        read_answer(Reply(503, None, b"<html>"), HEALTH, Health, redactor=Redactor())
