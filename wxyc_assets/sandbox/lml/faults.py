"""Faults on request: which ones there are, and which of them hits the next request."""

import threading
from dataclasses import dataclass
from typing import Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

Endpoint = Literal[
    "bulk-resolve-libraries", "lookup-bulk", "lookup", "refresh-for-identities", "identity-resolve", "health"
]
"""LML's operations, by the short names that faults and counts use."""

TransportKind = Literal["latency", "status", "rate_limited", "hang", "drip", "broken_json", "disconnect", "huge_body"]
"""What can happen to any answer on its way."""

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
]
"""What can be wrong inside an answer that arrives as valid JSON with status 200."""

Kind = Literal[TransportKind, AnswerKind]

ANSWER_KINDS: Final = frozenset(get_args(AnswerKind))
_BATCH: Final = frozenset({"bulk-resolve-libraries", "lookup-bulk", "refresh-for-identities"})
_RATED: Final = frozenset({"bulk-resolve-libraries", "lookup-bulk"})
_ALL: Final = frozenset(get_args(Endpoint))

_DEFAULT_COUNT: Final[dict[str, int]] = {"huge_body": 64, "drip": 20}


class Fault(BaseModel):
    """One armed fault; the kinds and their parameters are the rows of the table below.

    | kind | effect |
    |---|---|
    | latency | the answer comes ``latency_ms`` later |
    | status | ``status`` instead of an answer, with Retry-After when ``retry_after_s`` is set |
    | rate_limited | 429 with Retry-After |
    | hang | no answer until the client goes away or the server stops |
    | drip | the body in ``count`` pieces, one every ``latency_ms`` |
    | broken_json | status 200 and half of the body |
    | disconnect | the connection is closed without an answer |
    | huge_body | ``count`` MiB of white space before the answer |
    | short, long | ``count`` answers fewer, ``count`` more that nobody asked for |
    | shifted | every answer ``count`` positions too early, the first ones at the end |
    | swapped | ``count`` pairs of neighbours in each other's position |
    | duplicated | ``count`` answers given again in place of the one after them |
    | foreign | ``count`` answers under keys that were not asked for |
    | null_item | ``count`` answers are null |
    | non_integer_index | the key of ``count`` answers is a string, a fraction, null |
    | bad_confidence | ``count`` answers have a confidence outside 0..1 or of the wrong type |
    | unknown_kind | ``count`` answers have a kind or status that the contract does not know |

    The first ``after`` requests pass unharmed, then ``times`` requests are hit; None is until cleared.
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

    @model_validator(mode="after")
    def _kind_has_a_meaning_there(self) -> Self:
        if self.endpoint != "*" and self.endpoint not in endpoints_of(self.kind):
            msg = f"kind {self.kind!r} has no meaning on {self.endpoint!r}; it has on {sorted(endpoints_of(self.kind))}"
            raise ValueError(msg)
        return self

    @property
    def items(self) -> int:
        """``count``, or what is usual for the kind."""
        return self.count or _DEFAULT_COUNT.get(self.kind, 1)

    def hits(self, endpoint: Endpoint) -> bool:
        """Whether this fault is meant for ``endpoint``."""
        return self.endpoint == endpoint or (self.endpoint == "*" and endpoint in endpoints_of(self.kind))


def endpoints_of(kind: Kind) -> frozenset[str]:
    """Return the endpoints on which ``kind`` has a meaning."""
    if kind == "bad_confidence":
        return _RATED
    return _BATCH if kind in ANSWER_KINDS else _ALL


@dataclass
class ArmedFault:
    """A fault with what is left of it: requests still to let through, requests still to hit (None is no end)."""

    fault: Fault
    passes_left: int
    hits_left: int | None


class FaultBook:
    """The armed faults of one server, in the order of arming. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[ArmedFault] = []

    def arm(self, fault: Fault) -> None:
        """Let ``fault`` hit requests from now on, after those that were armed before it."""
        with self._lock:
            self._armed.append(ArmedFault(fault, fault.after, fault.times))

    def clear(self) -> int:
        """Disarm everything and return how many faults were still armed."""
        with self._lock:
            cleared = len(self._armed)
            self._armed.clear()
            return cleared

    def armed(self) -> list[ArmedFault]:
        """Return copies of what is armed."""
        with self._lock:
            return [ArmedFault(one.fault, one.passes_left, one.hits_left) for one in self._armed]

    def take(self, endpoint: Endpoint) -> Fault | None:
        """Return the fault that hits this request to ``endpoint``, at most one, and count it."""
        with self._lock:
            for armed in self._armed:
                if not armed.fault.hits(endpoint):
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
