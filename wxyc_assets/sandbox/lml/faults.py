"""Faults on request: the kinds of fault, and the registry that picks the fault of each request."""

import threading
from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Endpoint = Literal[
    "bulk-resolve-libraries", "lookup-bulk", "lookup", "refresh-for-identities", "identity-resolve", "health"
]
"""LML's operations, by the short names in faults and counts."""

TransportKind = Literal["latency", "status", "rate_limited", "hang", "drip", "broken_json", "disconnect", "huge_body"]
"""Faults in the transport of an answer, on any endpoint."""

AnswerKind = Literal[
    "short",
    "long",
    "shifted",
    "swapped",
    "duplicated",
    "foreign",
    "null_item",
    "non_integer_index",
    "bad_confidence",
    "unknown_kind",
    "degraded",
    "another_album",
    "streaming_status",
]
"""Faults inside an answer that is valid JSON with status 200."""

Kind = Literal[TransportKind, AnswerKind]

ANSWER_KINDS: Final = frozenset(get_args(AnswerKind))
_BATCH_ENDPOINTS: Final = frozenset({"bulk-resolve-libraries", "lookup-bulk", "refresh-for-identities"})
_CONFIDENCE_ENDPOINTS: Final = frozenset({"bulk-resolve-libraries", "lookup-bulk"})
_LOOKUP_KINDS: Final = frozenset({"degraded", "another_album", "streaming_status"})
_ENDPOINTS: Final = frozenset(get_args(Endpoint))

_DEFAULT_COUNT: Final[dict[str, int]] = {"huge_body": 64, "drip": 20}


class Fault(BaseModel):
    """One fault; the table has the kinds and their parameters.

    | kind | effect |
    |---|---|
    | latency | the answer is ``latency_ms`` later |
    | status | ``status`` instead of an answer, with Retry-After when ``retry_after_s`` is set |
    | rate_limited | 429 with Retry-After |
    | hang | no answer until the client disconnects or the server stops |
    | drip | the body in ``count`` pieces, one every ``latency_ms`` |
    | broken_json | status 200 and half of the body |
    | disconnect | the connection is closed without an answer |
    | huge_body | ``count`` MiB of white space before the answer |
    | short, long | ``count`` answers too few, ``count`` unrequested answers too many |
    | shifted | every answer ``count`` positions too early, the first answers at the end |
    | swapped | ``count`` pairs of neighbours swapped |
    | duplicated | ``count`` answers repeated in place of the next answer |
    | foreign | ``count`` answers with keys that the request does not have |
    | null_item | ``count`` answers are null |
    | non_integer_index | the key of ``count`` answers is a string, a fraction, null |
    | bad_confidence | ``count`` answers have a confidence outside 0..1 or of the wrong type |
    | unknown_kind | ``count`` answers have a kind or status that the contract does not know |
    | degraded | ``count`` answers are a no_match that is degraded for the reason ``says`` (upstream_unavailable) |
    | another_album | ``count`` matches are of another album, found by a search of the type ``says`` (fallback) |
    | streaming_status | ``count`` matches say ``says`` (absent) of each streaming service |

    The first ``after`` requests pass without the fault, and the next ``times`` requests get it; None means until cleared.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    endpoint: Endpoint | Literal["*"]
    kind: Kind
    times: int | None = Field(default=1, ge=1)
    after: int = Field(default=0, ge=0)
    status: int = Field(default=503, ge=400, le=599)
    retry_after_s: int | None = Field(default=None, ge=0)
    latency_ms: float = Field(default=200.0, ge=0, allow_inf_nan=False)
    count: int | None = Field(default=None, ge=1, le=100_000)
    says: str | None = None

    @model_validator(mode="after")
    def _kind_has_a_meaning_there(self) -> Self:
        if self.endpoint != "*" and self.endpoint not in endpoints_of(self.kind):
            msg = f"kind {self.kind!r} has no meaning on {self.endpoint!r}; it has on {sorted(endpoints_of(self.kind))}"
            raise ValueError(msg)
        return self

    @property
    def items(self) -> int:
        """``count``, or the default of the kind."""
        return self.count or _DEFAULT_COUNT.get(self.kind, 1)

    def applies_to(self, endpoint: Endpoint) -> bool:
        """Whether this fault applies to ``endpoint``."""
        return self.endpoint == endpoint or (self.endpoint == "*" and endpoint in endpoints_of(self.kind))


def endpoints_of(kind: Kind) -> frozenset[str]:
    """Return the endpoints on which ``kind`` has a meaning."""
    if kind == "bad_confidence":
        return _CONFIDENCE_ENDPOINTS
    if kind in _LOOKUP_KINDS:
        return frozenset({"lookup-bulk"})
    return _BATCH_ENDPOINTS if kind in ANSWER_KINDS else _ENDPOINTS


@dataclass
class ArmedFault:
    """A fault and its remaining counts: requests to let pass, then requests to hit (None means no end)."""

    fault: Fault
    passes_left: int
    hits_left: int | None


class FaultRegistry:
    """The armed faults of one server, in the order of arming. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[ArmedFault] = []

    def arm(self, fault: Fault) -> None:
        """Arm ``fault``; faults that were armed earlier take precedence."""
        with self._lock:
            self._armed.append(ArmedFault(fault, fault.after, fault.times))

    def clear(self) -> int:
        """Disarm all faults and return their number."""
        with self._lock:
            cleared = len(self._armed)
            self._armed.clear()
            return cleared

    def armed(self) -> list[ArmedFault]:
        """Return copies of the armed faults."""
        with self._lock:
            return [ArmedFault(one.fault, one.passes_left, one.hits_left) for one in self._armed]

    def take(self, endpoint: Endpoint) -> Fault | None:
        """Return the fault that this request to ``endpoint`` gets, if any, and count the hit."""
        with self._lock:
            for armed in self._armed:
                if not armed.fault.applies_to(endpoint):
                    continue
                if armed.passes_left:
                    armed.passes_left -= 1
                    continue
                if armed.hits_left is not None:
                    armed.hits_left -= 1
                    if not armed.hits_left:
                        self._armed.remove(armed)
                return armed.fault
            return None
