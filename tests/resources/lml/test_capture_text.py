"""Which bodies are captured, and as what text. The check values are the contract's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.lml.capture_text import CAP_BYTES, is_sampled, sampling_point, sanitise, truncate

BODIES = st.one_of(
    st.binary(max_size=60), st.text(max_size=30).map(str.encode), st.text("a€𝄞\0", max_size=20).map(str.encode)
)


@pytest.mark.parametrize(
    ("request_id", "point"),
    [("req-1", 0.9916371672214207), ("req-0", 0.9916371076167758), ("stable-req-0", 0.5193767747531359)],
)
def test_sampling_is_fnv_1a_64_of_the_request_id(request_id, point):
    assert sampling_point(request_id) == point


def test_a_quarter_of_20000_ids_is_as_many_as_in_the_contract():
    assert sum(is_sampled(f"req-{i}", 0.25) for i in range(20_000)) / 20_000 == 0.2695


@pytest.mark.parametrize(
    ("request_id", "rate", "sampled"),
    [("req-1", 0, False), ("req-1", 1, True), ("", 1, True), ("", 0.999, False), ("req-1", 0.99, False)],
)
def test_sampling_at_its_edges(request_id, rate, sampled):
    assert is_sampled(request_id, rate) is sampled


def test_the_cap_is_a_quarter_of_a_mebibyte():
    assert CAP_BYTES == 256 * 1024


@pytest.mark.parametrize(
    ("body", "cap", "left"),
    [
        (b"abc", 3, b"abc"),
        (b"abcd", 3, b"abc"),
        ("a€".encode(), 4, "a€".encode()),
        ("a€".encode(), 3, b"a"),
        ("a€".encode(), 2, b"a"),
        ("a𝄞b".encode(), 4, b"a"),
        ("a𝄞b".encode(), 5, "a𝄞".encode()),
        ("€".encode(), 1, b""),  # the one case of an empty result: the first rune is larger than the cap
        (b"\x80" * 9, 5, b"\x80" * 5),
        (b"\x80" * 9, 2, b"\x80" * 2),
    ],
)
def test_a_cut_body_ends_at_the_start_of_a_rune(body, cap, left):
    assert truncate(body, cap) == left


@given(BODIES, st.integers(1, 40))
def test_a_cut_loses_three_bytes_at_most_and_splits_no_rune(body, cap):
    left = truncate(body, cap)
    assert body.startswith(left)
    assert min(len(body), cap) - 3 <= len(left) <= cap
    assert (left == body) == (len(body) <= cap)
    try:
        body.decode()
    except UnicodeDecodeError:
        return
    left.decode()


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"a\0b", "ab"),
        (b"x\xff\xfey", "x\N{REPLACEMENT CHARACTER}y"),
        (b"\xff\0\xfe", "\N{REPLACEMENT CHARACTER}" * 2),  # NULs are removed last, so they separate the runs
        (b"\xed\xa0\x80", "\N{REPLACEMENT CHARACTER}"),  # an encoded surrogate is no UTF-8
        ("\N{REPLACEMENT CHARACTER}".encode() + b"\xff", "\N{REPLACEMENT CHARACTER}" * 2),
        (b"\xe2\x82A", "\N{REPLACEMENT CHARACTER}A"),
        ("Björk €𝄞".encode(), "Björk €𝄞"),
    ],
)
def test_bytes_that_postgres_refuses_become_text(body, text):
    assert sanitise(body) == text


def replaced_run_by_run(body: bytes) -> str:
    """The reference: decode the longest valid rune at each place, else count the byte to the current run."""
    text, in_run, i = "", False, 0
    while i < len(body):
        for size in (1, 2, 3, 4):
            try:
                rune = body[i : i + size].decode()
            except UnicodeDecodeError:
                continue
            text, in_run, i = text + rune, False, i + size
            break
        else:
            text, in_run, i = text + ("" if in_run else "\N{REPLACEMENT CHARACTER}"), True, i + 1
    return text.replace("\0", "")


@given(BODIES)
def test_sanitised_text_is_what_a_rune_by_rune_reading_gives(body):
    text = sanitise(body)
    assert text == replaced_run_by_run(body)
    assert "\0" not in text
    assert not re.search("[\ud800-\udfff]", text)
