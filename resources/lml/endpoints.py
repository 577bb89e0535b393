"""Owns what is known about LML's endpoints before any call: where they are, how long they may take, what they cost."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

LIBRARIES_CAP = 1000  # LML answers 413 above it
LOOKUP_CAP = 100  # 400 above it
REFRESH_CAP = 50  # 400 above it

LOOKUP_ITEM_TIMEOUT_S = 5.0
LOOKUP_SLACK_S = 5.0
CALLER_CLASS = "5"  # LML's class for unattended bulk work

DISCOGS_CAP_PER_MIN = 50  # of LML as a whole, for everybody who calls it
DISCOGS_CALLS_AT_ONCE = 5
DISCOGS_CALL_MIN_S = 0.05
BELIEVABLE_CALLS = 1000  # many times what Discogs lets LML do in the longest timeout


@dataclass(frozen=True)
class Endpoint:
    """One operation of LML.

    Attributes:
        name: what settings and log lines call it.
        timeout_s: from the first byte sent to the last byte of the body read.
        span: name of the span around a call, or None where dashboards know none.
        authenticated: whether the bearer goes along.
        paced: bounded in flight and in starts, because one run can ask faster than LML can answer.
        diagnostic: asked to learn whether LML is well, so neither the breaker nor the budget has a say.
        answer_statuses: statuses whose body is an answer; every other one is an error.
    """

    name: str
    method: str
    path: str
    timeout_s: float
    span: str | None = None
    authenticated: bool = True
    paced: bool = False
    diagnostic: bool = False
    answer_statuses: frozenset[int] = frozenset({200})


RESOLVE_LIBRARIES = Endpoint(
    "bulk_resolve_libraries",
    "POST",
    "/api/v1/identity/bulk-resolve-libraries",
    timeout_s=30,
    span="lml.bulk_resolve_libraries",
    paced=True,
)
# The timeout of a lookup depends on its size: lookup_timeout_s.
BULK_LOOKUP = Endpoint("bulk_lookup", "POST", "/api/v1/lookup/bulk", timeout_s=0, span="lml.lookup.bulk")
REFRESH = Endpoint(
    "refresh_for_identities",
    "POST",
    "/api/v1/cache/refresh-for-identities",
    timeout_s=360,
    span="lml.refresh_for_identities",
)
RESOLVE_IDENTITY = Endpoint("resolve_identity", "POST", "/api/v1/identity/resolve", timeout_s=8, paced=True)
# The refresh of nothing at all: learns whether LML has that endpoint and takes the key.
PROBE = Endpoint("probe", "POST", REFRESH.path, timeout_s=10, diagnostic=True)
# An unhealthy LML says so with a 503 that has the same body.
HEALTH = Endpoint(
    "health",
    "GET",
    "/health",
    timeout_s=10,
    authenticated=False,
    diagnostic=True,
    answer_statuses=frozenset({200, 503}),
)


def lookup_timeout_s(items: int) -> float:
    """Return how long a bulk lookup of that many items may take, in seconds."""
    return items * LOOKUP_ITEM_TIMEOUT_S + LOOKUP_SLACK_S


def normalise_base_url(text: str) -> str:
    """Return the base to which paths are appended: one trailing ``/api/v1`` (or ``/api/v1/``) is cut, then one slash.

    Raises ValueError, without repeating the text, if it is not a plain http(s) URL: names and passwords in URLs end up
    in logs.
    """
    base = re.sub(r"/api/v1/?$", "", text.strip()).removesuffix("/")
    try:
        parts = urlsplit(base)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or re.search(r"[\s\x00-\x1f\x7f?#]", base):
        raise ValueError("LIBRARY_METADATA_URL is not a usable URL; write it like https://lml.example.org")
    if parts.username is not None or parts.password is not None:
        raise ValueError("LIBRARY_METADATA_URL holds a user name or password; take it out and set LML_API_KEY instead")
    return base


def discogs_calls_used(reserved: float, elapsed_s: float, api_calls: float | None) -> float:
    """Return what a call cost in Discogs calls: what LML said, else what it can have done in the time it took.

    LML makes at most five calls to Discogs at once, of at least 50 ms each. The estimate never exceeds ``reserved``.
    A number that no call can have cost counts as not said: believed, it would stop the whole station for days.
    """
    if api_calls is not None and 0 <= api_calls <= BELIEVABLE_CALLS:
        return api_calls
    return min(reserved, float(DISCOGS_CALLS_AT_ONCE * int(elapsed_s / DISCOGS_CALL_MIN_S)))
