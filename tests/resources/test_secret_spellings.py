"""A key is found in every encoding that a service can echo it in, and only the key is taken out."""

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from resources.redaction import REDACTED, Redactor

KEYS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=64)
PASSWORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=8, max_size=24)
AROUND = st.text(st.sampled_from("abc XYZ,.{}=:/<>\n"), max_size=12)


def percent(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode())


def json_escape(sign: str) -> str:
    utf16 = sign.encode("utf-16-be")
    return "".join(f"\\u{utf16[at : at + 2].hex()}" for at in range(0, len(utf16), 2))


SIGN_BY_SIGN: list[Callable[[str], str]] = [
    str,
    percent,
    lambda sign: percent(sign).lower(),
    lambda sign: percent(sign).replace("%", "%25"),
    json_escape,
    lambda sign: json_escape(sign).upper().replace("U", "u"),
    lambda sign: json_escape(sign).replace("\\", "\\\\"),
    lambda sign: f"&#{ord(sign)};",
    lambda sign: f"&#x{ord(sign):X};",
]
WHOLE: list[Callable[[str], str]] = [
    str,
    quote,
    quote_plus,
    lambda key: "".join(map(percent, key)),
    lambda key: json.dumps(key)[1:-1],
    lambda key: json.dumps(json.dumps(key))[1:-1],
    lambda key: json.dumps({"error": json.dumps({"key": key})}),
    lambda key: repr(key)[1:-1],
    lambda key: repr(key.encode())[2:-1],
    html.escape,
    lambda key: key.encode().hex(),
    lambda key: key.encode().hex().upper(),
    lambda key: quote(json.dumps({"key": key}), safe=""),
]


def base64_core(key: str, before: int) -> str:
    """Return the signs of base64 that the key alone decides."""
    raw = key.encode()
    encoded = base64.b64encode(b"\0" * before + raw).decode()
    return encoded[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]


@pytest.mark.parametrize("spell", WHOLE)
@settings(max_examples=25)
@given(key=KEYS | PASSWORDS, before=AROUND, after=AROUND)
def test_a_key_is_found_in_every_whole_encoding(spell, key, before, after):
    assume(REDACTED not in key)
    spelt = spell(key)
    clean = Redactor([key]).without_secrets(before + spelt + after)
    assert spelt not in clean
    assert REDACTED in clean


@pytest.mark.parametrize(
    ("key", "spelt"),
    [("000000\\r", "000000\\%2572"), ("0000&notit;", "0000&not%2569t;"), ("0000%72r1", "0000%7%2532r1")],
)
def test_a_key_with_signs_of_escapes_is_found(key, spelt):
    """What its signs decode to depends on how the next ones are spelt."""
    assert Redactor([key]).without_secrets(f"is {spelt}!") in {f"is {REDACTED}!", REDACTED}


@given(key=KEYS | PASSWORDS, before=AROUND, after=AROUND, data=st.data())
def test_a_key_is_found_in_every_mixture_of_escapes(key, before, after, data):
    """Percent-encoded in part, in either letter case, with JSON escapes and entities between: only the key is taken out."""
    assume(key not in before + after)
    chosen = data.draw(st.lists(st.sampled_from(SIGN_BY_SIGN), min_size=len(key), max_size=len(key)))
    spelt = "".join(spell(sign) for spell, sign in zip(chosen, key, strict=True))
    clean = Redactor([key]).without_secrets(f"{before} {spelt} {after}")
    assert spelt not in clean
    assert clean in {f"{before} {REDACTED} {after}", REDACTED}


@pytest.mark.parametrize("pack", [base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes])
@pytest.mark.parametrize(
    "wrap", [str, lambda text: quote(text, safe=""), json.dumps, lambda text: text.replace("/", "\\/")]
)
@settings(max_examples=25)
@given(key=KEYS, before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_a_key_is_found_in_base64_at_each_alignment(pack, wrap, key, before, after):
    """As Basic authorization has it, for one: ``user:key``."""
    spelt = wrap(pack(before + key.encode() + after).decode())
    clean = Redactor([key]).without_secrets(f"Basic {spelt}, sent")
    core = base64_core(key, len(before) % 3)
    plain = clean.replace("%2F", "/").replace("%2B", "+").replace("\\/", "/").replace("\\n", "").replace("%0A", "")
    assert core not in plain.replace("-", "+").replace("_", "/").replace("\n", "")
    assert clean.startswith("Basic ")
    assert clean.endswith(", sent")


def test_only_the_key_is_taken_out():
    """The text around it stays, also beside other escapes."""
    redactor = Redactor(["sk-7f/3a+9c"])
    assert redactor.text("a%20b key=sk%2D7f%2f3a+9c&x=1") == f"a%20b key={REDACTED}&x=1"
    assert redactor.text('{"k": "\\u0073k-7f\\/3a+9c", "v": "a\\nb"}') == f'{{"k": "{REDACTED}", "v": "a\\nb"}}'
    assert redactor.text(f"hex {b'sk-7f/3a+9c'.hex()}.") == f"hex {REDACTED}."


@given(text=st.text())
def test_text_without_the_key_stays_as_it_is(text):
    assume("k" not in text)
    assert Redactor(["kkkkkkkkkkkk"]).without_secrets(text) == text


def test_a_secret_in_a_nesting_that_no_pattern_covers_takes_all():
    """JSON escapes whose backslashes are percent-encoded: only decoding finds the key, so nothing of the text is kept."""
    spelt = "".join(json_escape(sign) for sign in "sk-7f3a9c").replace("\\", "%5C")
    assert Redactor(["sk-7f3a9c"]).text(f"the key {spelt} was refused") == REDACTED
