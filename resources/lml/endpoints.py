"""What is known about LML's endpoints before any call: their paths, caps, timeouts and costs. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

LIBRARIES_CAP = 1000  # LML answers 413 above it
LOOKUP_CAP = 100  # 400 above it
REFRESH_CAP = 50  # 400 above it

LOOKUP_ITEM_TIMEOUT_S = 5.0
LOOKUP_ITEM_UNBOUNDED_S = 25.0  # without X-Caller-Budget-Ms
LOOKUP_CUT_OFF_MAX_S = 4.0  # with it, however large its value
LOOKUP_CUT_OFF_MARGIN_S = 0.2
LOOKUP_SLACK_S = 5.0
CALLER_CLASS = "5"  # LML's class for unattended bulk work

DISCOGS_CAP_PER_MIN = 50  # of LML as a whole, for all of its callers
DISCOGS_CALLS_AT_ONCE = 5
DISCOGS_CALL_MIN_S = 0.05
MAX_PLAUSIBLE_CALLS = 1000  # many times what Discogs allows LML in the longest timeout


@dataclass(frozen=True)
class Endpoint:
    """One operation of LML.

    Attributes:
        name: used in settings and log lines.
        timeout_s: from the first byte sent to the last byte of the body read.
        span: name of the span around a call, or None where the dashboards have none.
        authenticated: whether the bearer token is sent.
        throttled: limited in flight and in starts, because one run can call faster than LML can answer.
        diagnostic: called to find out whether LML is healthy, so neither the breaker nor the budget applies.
        answer_statuses: statuses whose body is an answer; every other one is an error.
    """

    name: str
    method: str
    path: str
    timeout_s: float
    span: str | None = None
    authenticated: bool = True
    throttled: bool = False
    diagnostic: bool = False
    answer_statuses: frozenset[int] = frozenset({200})


RESOLVE_LIBRARIES = Endpoint(
    "bulk_resolve_libraries",
    "POST",
    "/api/v1/identity/bulk-resolve-libraries",
    timeout_s=30,
    span="lml.bulk_resolve_libraries",
    throttled=True,
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
RESOLVE_IDENTITY = Endpoint("resolve_identity", "POST", "/api/v1/identity/resolve", timeout_s=8, throttled=True)
# A refresh of no ids: shows whether LML has that endpoint and accepts the key.
PROBE = Endpoint("probe", "POST", REFRESH.path, timeout_s=10, diagnostic=True)
# An unhealthy LML answers 503 with the same body.
HEALTH = Endpoint(
    "health",
    "GET",
    "/health",
    timeout_s=10,
    authenticated=False,
    diagnostic=True,
    answer_statuses=frozenset({200, 503}),
)


def lookup_timeout_s(items: int, *, budget_ms: int) -> float:
    """Return the timeout of a bulk lookup of that many items, in seconds; ``budget_ms`` 0: it carries no budget."""
    return items * (LOOKUP_ITEM_TIMEOUT_S if budget_ms else LOOKUP_ITEM_UNBOUNDED_S) + LOOKUP_SLACK_S


def lookup_cut_off_s(budget_ms: float) -> float:
    """Return after how many seconds LML ends its work on one album, because the call carries this budget.

    That the budget is there arms the cut-off; its value matters only below 4.2 s. Source: contract/neighbours.md.
    """
    return max(0.0, min(budget_ms / 1000 - LOOKUP_CUT_OFF_MARGIN_S, LOOKUP_CUT_OFF_MAX_S))


def normalise_base_url(text: str) -> str:
    """Return the URL to which paths are appended: without one trailing ``/api/v1`` (or ``/api/v1/``), then without one slash.

    Raises ValueError if it is not a plain http(s) URL. The error does not repeat the text: names and passwords in URLs
    would end up in logs.
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
    """Return the Discogs calls that a call cost: those that LML reports, else those that it can have made in the time.

    LML makes at most five calls to Discogs at once, of at least 50 ms each. The estimate never exceeds ``reserved``.
    An implausible number counts as not reported: taken at its word, it would block the whole station for days.
    """
    if api_calls is not None and 0 <= api_calls <= MAX_PLAUSIBLE_CALLS:
        return api_calls
    return min(reserved, float(DISCOGS_CALLS_AT_ONCE * int(elapsed_s / DISCOGS_CALL_MIN_S)))
