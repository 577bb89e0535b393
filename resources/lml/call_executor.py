"""Owns one call to LML from its first try to its last."""

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
import stamina
import stamina.instrumentation

from resources.lml.admission import Admission
from resources.lml.answers import AnswerT, read_answer
from resources.lml.booking import Bookings, Budget
from resources.lml.capture import Capture, Captured
from resources.lml.config import LmlConfig
from resources.lml.endpoints import Endpoint
from resources.lml.errors import LmlError, LmlUnavailable
from resources.lml.lane import Lane
from resources.lml.models import finite_numbers
from resources.lml.transport import Bearer, DeadlineTransport, exchange

CLOSING_S = 1.0
"""How long closing waits for calls that were waiting for their turn: they give back what they had reserved."""

COMMON_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "wxyc-assets"}


@dataclass(frozen=True)
class Call:
    """One call as its endpoint's method asks for it.

    Attributes:
        endpoint: what is called.
        body: the JSON to send, whole; None for a GET.
        timeout_s: time for each try.
        cost: estimated Discogs calls of each try.
        headers: what goes along beside the usual.
        request_id: the same for all tries.
    """

    endpoint: Endpoint
    body: bytes | None
    timeout_s: float
    cost: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass
class Effort:
    """What a call has taken so far."""

    calls: int = 0
    latency_s: float = 0.0
    last_try_s: float = 0.0
    status: int | None = None


class Caller:
    """Makes the calls of one client; thread-safe. LmlClient documents the parameters."""

    def __init__(
        self,
        config: LmlConfig,
        *,
        budget: Budget | None,
        capture: Capture | None,
        transport: httpx.BaseTransport | None,
        pause: Callable[[float], bool] | None,
    ) -> None:
        self._config = config
        self._capture = capture
        self._http = httpx.Client(transport=transport or DeadlineTransport(), trust_env=False, follow_redirects=False)
        self._bearer = Bearer(config.api_key) if config.api_key else None
        self._admission = Admission(threshold=config.breaker_threshold, open_s=config.breaker_open_s)
        self._closing = threading.Event()
        pause = pause or self._closing.wait
        self._bookings = Bookings(budget, penalty_max_s=config.penalty_max_s, pause=pause)
        self._lane = Lane(max_in_flight=config.max_in_flight, pace_s=config.pace_s, clock=monotonic, pause=pause)
        self._waiting = 0
        self._waiting_changed = threading.Condition()
        self._retrying = stamina.RetryingCaller(
            attempts=config.attempts,
            timeout=None,  # each try has its own deadline; stamina's 45 s would take the retries from slow endpoints
            wait_initial=config.backoff_initial_s,
            wait_max=config.backoff_max_s,
            wait_jitter=config.backoff_jitter_s,
        )
        # Process-wide, and nobody else here retries with stamina: its own log lines are not the contract's.
        stamina.instrumentation.set_on_retry_hooks(())

    @property
    def waiting(self) -> int:
        """Calls that wait for the budget or for a place right now."""
        return self._waiting

    def close(self) -> None:
        """Close the connections. A call that somebody left behind makes no further try, and gives its place back."""
        self._closing.set()
        with self._waiting_changed:
            self._waiting_changed.wait_for(lambda: self._waiting == 0, CLOSING_S)
        self._http.close()

    def run(self, call: Call, model: type[AnswerT]) -> tuple[AnswerT, Any]:
        """Make the call, again where that can help; return the answer and its raw JSON. Raises LmlError."""
        effort = Effort()
        try:
            answer, payload = self._retrying(self._again, self._try, call, model, effort)
        except LmlError as error:
            error.calls, error.latency_ms = effort.calls, effort.latency_s * 1000
            raise
        finally:
            self._offer_capture(call, effort)
        answer.record_effort(calls=effort.calls, latency_ms=effort.latency_s * 1000, http_status=effort.status)
        return answer, payload

    def _again(self, error: Exception) -> bool | float:
        """Return whether another try is worth it, or after how many seconds."""
        if not isinstance(error, LmlError) or not (error.retryable and error.called) or self._admission.leaves_alone():
            return False
        if error.retry_after_s is None:
            return True
        return min(max(error.retry_after_s, self._config.backoff_initial_s), self._config.retry_after_max_s)

    def _try(self, call: Call, model: type[AnswerT], effort: Effort) -> tuple[AnswerT, Any]:
        self._check_open()
        if call.endpoint.diagnostic:
            return self._exchange(call, model, effort)
        with self._turn(call) as ticket:
            try:
                answer, payload = self._exchange(call, model, effort)
            except LmlError as error:
                self._admission.failed(ticket, error)
                self._bookings.failed(call.cost, elapsed_s=effort.last_try_s, error=error)
                raise
            except BaseException:
                self._admission.abandoned(ticket)
                raise
        self._admission.answered(ticket)
        api_calls = finite_numbers(payload.get("cache_stats")).get("api_calls")
        self._bookings.answered(call.cost, elapsed_s=effort.last_try_s, api_calls=api_calls)
        return answer, payload

    @contextmanager
    def _turn(self, call: Call) -> Iterator[int]:
        """Wait for the budget and for a place in the lane, and hold the place. Yields the admission's ticket."""
        self._admission.check()
        with ExitStack() as held:
            with self._counted_as_waiting():
                self._bookings.book(call.cost)
                try:
                    if call.endpoint.paced:
                        held.enter_context(self._lane.place())
                    self._check_open()
                    ticket = self._admission.enter()  # again: much can have happened to LML while this call was waiting
                except BaseException:
                    self._bookings.give_back(call.cost)
                    raise
            yield ticket

    def _check_open(self) -> None:
        if self._closing.is_set():
            raise LmlUnavailable("this client of LML is closed; open another")

    @contextmanager
    def _counted_as_waiting(self) -> Iterator[None]:
        self._count_waiting(1)
        try:
            yield
        finally:
            self._count_waiting(-1)

    def _count_waiting(self, more: int) -> None:
        with self._waiting_changed:
            self._waiting += more
            self._waiting_changed.notify_all()

    def _exchange(self, call: Call, model: type[AnswerT], effort: Effort) -> tuple[AnswerT, Any]:
        request = self._http.build_request(
            call.endpoint.method,
            self._config.base_url + call.endpoint.path,
            content=call.body,
            headers={**COMMON_HEADERS, **call.headers, "X-Request-Id": call.request_id}
            | ({"Content-Type": "application/json"} if call.body is not None else {}),
            timeout=call.timeout_s,
        )
        auth = self._bearer if call.endpoint.authenticated else None
        effort.status = None
        started = monotonic()
        try:
            reply = exchange(
                self._http, request, auth=auth, timeout_s=call.timeout_s, max_bytes=self._config.max_answer_bytes
            )
        finally:
            effort.last_try_s = monotonic() - started
            effort.calls += 1
            effort.latency_s += effort.last_try_s
        effort.status = reply.status
        return read_answer(reply, call.endpoint, model, secret=self._config.api_key)

    def _offer_capture(self, call: Call, effort: Effort) -> None:
        if self._capture is None or call.body is None or effort.calls == 0:
            return
        self._capture.offer(
            Captured(
                request_id=call.request_id,
                endpoint=call.endpoint.name,
                request_body=call.body,
                status_code=effort.status,
                latency_ms=round(effort.latency_s * 1000),
            )
        )
