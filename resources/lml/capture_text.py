"""Decides which request bodies are captured, and turns a body into text that PostgreSQL stores. Pure."""

import re

CAP_BYTES = 262_144

_FNV_OFFSET = 0xCBF29CE484222325
_FNV_PRIME = 0x100000001B3
_MASK_64 = 0xFFFFFFFFFFFFFFFF
_RUNE_MAX_BACK = 3  # a rune has at most three bytes after its start


def sampling_point(request_id: str) -> float:
    """Return where in [0, 1) a request falls: the top 53 bits of the FNV-1a 64 hash of its id."""
    digest = _FNV_OFFSET
    for byte in request_id.encode():
        digest = ((digest ^ byte) * _FNV_PRIME) & _MASK_64
    return (digest >> 11) / 2**53


def is_sampled(request_id: str, rate: float) -> bool:
    """Return whether a request is captured at this rate: the same answer for the same id, everywhere and always."""
    if rate <= 0:
        return False
    return rate >= 1 or (request_id != "" and sampling_point(request_id) < rate)


def truncate(body: bytes, cap_bytes: int) -> bytes:
    """Return at most ``cap_bytes`` of ``body``, cut at the start of a rune.

    Bytes that are not UTF-8 may have no such start nearby. They are cut at the cap, so that a long body never becomes empty.
    """
    if len(body) <= cap_bytes:
        return body
    for end in range(cap_bytes, max(cap_bytes - _RUNE_MAX_BACK, 0) - 1, -1):
        if body[end] & 0xC0 != 0x80:  # noqa: PLR2004 - 10xxxxxx continues a rune
            return body[:end]
    return body[:cap_bytes]


def sanitise(body: bytes) -> str:
    """Return text that PostgreSQL accepts: each run of invalid UTF-8 becomes one U+FFFD, then NULs are removed."""
    text = body.decode("utf-8", errors="surrogateescape")
    return re.sub("[\udc80-\udcff]+", "\N{REPLACEMENT CHARACTER}", text).replace("\0", "")
