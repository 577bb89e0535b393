"""Text that leaves the process holds no secret, and is otherwise unchanged."""

import base64
import dataclasses
import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.redaction import REDACTED, Redactor

SECRET = 'k3y/"with\\odd\né signs'


@pytest.mark.parametrize(
    "spell",
    [
        str,
        repr,
        json.dumps,
        lambda secret: json.dumps(json.dumps(secret)),
        lambda secret: json.dumps(secret, ensure_ascii=False),
        quote,
        lambda secret: quote(secret, safe=""),
        lambda secret: quote(secret, safe="").lower(),
        quote_plus,
        lambda secret: base64.b64encode(secret.encode()).decode(),
    ],
)
def test_a_secret_is_found_however_it_is_spelt(spell):
    spelt = spell(SECRET)
    assert spelt.strip("\"'") not in Redactor([SECRET]).text(f"before {spelt} after")
    assert Redactor([SECRET]).text(f"before {spelt} after").startswith("before ")


# No deadline in these two: it measures how busy the machine is.
# A secret that shares signs with the marker can be read out of the marker, which gives nothing away.
@settings(deadline=None)
@given(
    secret=st.text(st.characters(exclude_characters=REDACTED, codec="utf-8"), min_size=8),
    before=st.text(),
    after=st.text(),
)
def test_any_secret_is_removed_from_any_text_and_key(secret, before, after):
    """What remains is valid Unicode."""
    redacted = Redactor([secret]).plain({"text": before + secret + after, before + secret: [secret]})
    assert isinstance(redacted, dict)
    (hidden,) = [value for value in redacted.values() if isinstance(value, list)]
    strings = [str(value) for value in (redacted["text"], *redacted, *hidden)]
    assert not any(secret in string for string in strings)
    json.dumps(redacted, ensure_ascii=False).encode()


@settings(deadline=None)
@given(text=st.text())
def test_redacting_twice_changes_nothing(text):
    redactor = Redactor(["sup3rsecret"])
    once = redactor.text(f"{text} Authorization: Bearer {text} postgresql://u:{text}@h password={text}")
    assert redactor.text(once) == once


def test_the_longer_of_two_secrets_is_removed_whole():
    assert Redactor(["abcd", "abcdefgh"]).text("xabcdefghx abcd") == f"x{REDACTED}x {REDACTED}"


def test_a_secret_under_four_characters_is_not_searched_for():
    assert Redactor(["abc", ""]).text("abc abcdef") == "abc abcdef"


def test_the_password_inside_a_secret_url_is_a_secret_of_its_own():
    redactor = Redactor(["postgresql://wxyc:p%40ssw0rd@db/station"])
    assert redactor.text("tried p%40ssw0rd and p@ssw0rd") == f"tried {REDACTED} and {REDACTED}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://wxyc:hunter2@db:5432/x failed", "postgresql://wxyc:[redacted]@db:5432/x failed"),
        ("postgresql+psycopg2://wxyc:hun@ter2@db/x", "postgresql+psycopg2://wxyc:[redacted]@db/x"),
        ("redis://:hunter2@cache", "redis://:[redacted]@cache"),
        ("postgresql:///x?user=a&password=hunter2&port=1", "postgresql:///x?user=a&password=[redacted]&port=1"),
        ("host=db password='hun ter2' dbname=x", "host=db password=[redacted] dbname=x"),
        ("Authorization: Basic d3h5YzpodW50ZXIy", "Authorization: [redacted]"),
        ("{'Authorization': 'Token hunter2'}", "{'Authorization': '[redacted]'}"),
        ("[(b'Authorization', b'hunter2')]", "[(b'Authorization', b'[redacted]')]"),
        ("Authorization: Bearer ]hunter2[", "Authorization: [redacted]"),
        ("host=db password=a)b,c;d", "host=db password=[redacted]"),
        ("password='hunter2 was refused", "password=[redacted] was refused"),
        ("connect(password='hun ter2', port=1)", "connect(password=[redacted] port=1)"),
        ("sent Bearer hunter2.abc-def==, got 401", "sent Bearer [redacted], got 401"),
    ],
)
def test_credentials_are_recognised_by_their_form(text, expected):
    assert Redactor().text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http://lml:8080/a/b@c",
        "https://api.github.com/repos?x=1@2",
        "the bearer token is missing",
        "password authentication failed for user wxyc",
        "authorization, then work",
        "artist: AC/DC, album: [untitled]",
    ],
)
def test_ordinary_text_stays_as_it_is(text):
    assert Redactor(["sup3rsecret"]).text(text) == text


def test_a_value_under_the_name_of_a_credential_is_hidden():
    headers = {"Authorization": "Basic x", "X-Api-Key": "y", "LML_API_KEY": ["z"], "password": None, "prompt_tokens": 7}
    assert Redactor().plain(headers) == {
        "Authorization": REDACTED,
        "X-Api-Key": REDACTED,
        "LML_API_KEY": REDACTED,
        "password": None,
        "prompt_tokens": 7,
    }


def test_numbers_stay_numbers_and_values_unknown_to_json_text():
    class Kind(Enum):
        MATCH = "match"

    @dataclasses.dataclass
    class Config:
        url: str
        key: str = dataclasses.field(repr=False)

    values = [True, 7, 0.5, float("nan"), float("-inf"), 2**63, None, Kind.MATCH, Decimal("0.10"), Path("/x")]
    assert Redactor().plain(values) == [True, 7, 0.5, None, None, str(2**63), None, "match", "0.10", "/x"]
    assert Redactor().plain((datetime(2026, 1, 2, tzinfo=UTC), ValueError("no"))) == ["2026-01-02T00:00:00Z", "no"]
    assert Redactor().plain(Config("u", "hidden")) == {"url": "u"}
    assert Redactor().plain({1: {"a"}}) == {"1": ["a"]}
    assert Redactor(["12345678"]).plain([12345678, 123456789]) == [REDACTED, 123456789]


def test_nothing_that_is_logged_can_raise():
    class Hostile:
        def __str__(self):
            raise RuntimeError("no text")

    class HostileMapping(dict):
        def items(self):
            raise RuntimeError("no items")

    ring: list[object] = []
    ring += [ring, ring]
    deep: list[object] = []
    for _ in range(10_000):
        deep = [deep]
    assert Redactor().plain([Hostile(), ring, "\udcff"]) == [
        "<unprintable Hostile>",
        ["[nested too deep]"] * 2,
        "\\udcff",
    ]
    assert Redactor().plain(HostileMapping(a=1)) == "<unprintable HostileMapping>"
    assert "nested too deep" in json.dumps(Redactor().plain(deep))
