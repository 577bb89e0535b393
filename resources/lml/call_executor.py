"""Executes one call to LML, from its first try to its last."""

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import stamina
import stamina.instrumentation

from resources.boot_clock import boot_seconds
from resources.deadline_transport import DeadlineTransport
from resources.lml.answers import AnswerT, read_answer
from resources.lml.call_guard import CallGuard
from resources.lml.capture import Capture, CapturedRequest
from resources.lml.config import LmlConfig
from resources.lml.endpoints import Endpoint
from resources.lml.errors import LmlError, LmlUnavailable
from resources.lml.models import finite_numbers
from resources.lml.reservation import Budget, Reservations
from resources.lml.throttle import Throttle
from resources.lml.transport import Bearer, exchange
from resources.redaction import Redactor

CLOSE_TIMEOUT_S = 1.0
"""How long ``close`` waits for queued calls, which release their reservations."""

COMMON_HEADERS = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "wxyc-assets"}


@dataclass(frozen=True)
class Call:
    """One call as the client's method for its endpoint describes it.

    Attributes:
        endpoint: what is called.
        body: the JSON to send, whole; None for a GET.
        timeout_s: time for each try.
        cost: estimated Discogs calls of each try.
        headers: in addition to the common ones.
        request_id: the same for all tries.
    """

    endpoint: Endpoint
    body: bytes | None
    timeout_s: float
    cost: float = 0.0
    headers: Mapping[str, str] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass
class CallStats:
    """What the tries of one call took so far. ``status`` is that of the last try, None without an answer."""

    calls: int = 0
    latency_s: float = 0.0
    last_try_s: float = 0.0
    status: int | None = None


class CallExecutor:
    """Executes the calls of one client. Thread-safe.

    LmlClient documents the parameters.
    """

    def __init__(
        self,
        config: LmlConfig,
        *,
        budget: Budget | None = None,
        capture: Capture | None = None,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], bool] | None = None,
        on_budget_wait: Callable[[float], None] | None = None,
        clock: Callable[[], float] = boot_seconds,
    ) -> None:
        self._config = config
        self._capture = capture
        self._clock = clock
        self._http = httpx.Client(transport=transport or DeadlineTransport(), trust_env=False, follow_redirects=False)
        self._bearer = Bearer(config.api_key) if config.api_key else None
        self._redactor = Redactor([config.api_key.get_secret_value()] if config.api_key else [])
        self._guard = CallGuard(threshold=config.breaker_threshold, open_s=config.breaker_open_s, clock=clock)
        self._closing = threading.Event()
        wait = wait or self._closing.wait
        self._reservations = Reservations(
            budget, block_max_s=config.block_max_s, wait=wait, on_wait=on_budget_wait, clock=clock
        )
        self._throttle = Throttle(
            max_in_flight=config.max_in_flight, min_interval_s=config.min_interval_s, clock=clock, wait=wait
        )
        self._queued = 0
        self._queue_changed = threading.Condition()
        self._retrying = stamina.RetryingCaller(
            attempts=config.attempts,
            timeout=None,  # each try has its own deadline; stamina's 45 s would take the retries from slow endpoints
            wait_initial=config.backoff_initial_s,
            wait_max=config.backoff_max_s,
            wait_jitter=config.backoff_jitter_s,
        )
        # Process-wide, and nothing else here retries with stamina: its own log lines are not the contract's.
        stamina.instrumentation.set_on_retry_hooks(())

    @property
    def queue_depth(self) -> int:
        """Calls that wait for the budget or for a slot right now."""
        return self._queued

    def close(self) -> None:
        """Close the connections. A call that is still queued in an abandoned thread releases its reservation and fails."""
        self._closing.set()
        with self._queue_changed:
            self._queue_changed.wait_for(lambda: self._queued == 0, CLOSE_TIMEOUT_S)
        self._http.close()

    def execute(self, call: Call, model: type[AnswerT]) -> tuple[AnswerT, Any]:
        """Make the call, with retries where they can help; return the answer and its raw JSON. Raises LmlError."""
        stats = CallStats()
        try:
            answer, payload = self._retrying(self._should_retry, self._try, call, model, stats)
        except LmlError as error:
            error.calls, error.latency_ms = stats.calls, stats.latency_s * 1000
            raise
        finally:
            self._offer_capture(call, stats)
        answer.record_call_stats(calls=stats.calls, latency_ms=stats.latency_s * 1000, http_status=stats.status)
        return answer, payload

    def _should_retry(self, error: Exception) -> bool | float:
        """Tell stamina whether to try again: False, True (after its own backoff), or the seconds to wait first."""
        if not isinstance(error, LmlError) or not (error.retryable and error.called) or self._guard.breaker_refuses():
            return False
        if error.retry_after_s is None:
            return True
        return min(max(error.retry_after_s, self._config.backoff_initial_s), self._config.retry_after_max_s)

    def _try(self, call: Call, model: type[AnswerT], stats: CallStats) -> tuple[AnswerT, Any]:
        self._require_open()
        if call.endpoint.diagnostic:
            return self._exchange(call, model, stats)
        with self._admitted(call) as ticket:
            try:
                answer, payload = self._exchange(call, model, stats)
            except LmlError as error:
                self._guard.record_failure(ticket, error)
                self._reservations.settle_failure(call.cost, elapsed_s=stats.last_try_s, error=error)
                raise
            except BaseException:
                self._guard.record_abandoned(ticket)
                raise
        self._guard.record_answer(ticket)
        api_calls = finite_numbers(payload.get("cache_stats")).get("api_calls")
        self._reservations.settle_answer(call.cost, elapsed_s=stats.last_try_s, api_calls=api_calls)
        return answer, payload

    @contextmanager
    def _admitted(self, call: Call) -> Iterator[int]:
        """Wait for the budget and for a slot, and hold the slot for the block. Yields the guard's ticket."""
        self._guard.check()
        with ExitStack() as held:
            with self._counted_as_queued():
                self._reservations.acquire(call.cost)
                try:
                    if call.endpoint.throttled:
                        held.enter_context(self._throttle.slot())
                    self._reservations.renew(call.cost)
                    self._require_open()
                    ticket = self._guard.admit()  # checked again: LML can have failed while this call was queued
                except BaseException:
                    self._reservations.release(call.cost)
                    raise
            yield ticket

    def _require_open(self) -> None:
        if self._closing.is_set():
            raise LmlUnavailable("this client of LML is closed; open another")

    @contextmanager
    def _counted_as_queued(self) -> Iterator[None]:
        self._add_to_queue(1)
        try:
            yield
        finally:
            self._add_to_queue(-1)

    def _add_to_queue(self, calls: int) -> None:
        with self._queue_changed:
            self._queued += calls
            self._queue_changed.notify_all()

    def _exchange(self, call: Call, model: type[AnswerT], stats: CallStats) -> tuple[AnswerT, Any]:
        request = self._http.build_request(
            call.endpoint.method,
            self._config.base_url + call.endpoint.path,
            content=call.body,
            headers={**COMMON_HEADERS, **call.headers, "X-Request-Id": call.request_id}
            | ({"Content-Type": "application/json"} if call.body is not None else {}),
            timeout=call.timeout_s,
        )
        auth = self._bearer if call.endpoint.authenticated else None
        stats.status = None
        started = self._clock()
        try:
            reply = exchange(
                self._http, request, auth=auth, timeout_s=call.timeout_s, max_bytes=self._config.max_answer_bytes
            )
        finally:
            stats.last_try_s = self._clock() - started
            stats.calls += 1
            stats.latency_s += stats.last_try_s
        stats.status = reply.status
        return read_answer(reply, call.endpoint, model, redactor=self._redactor)

    def _offer_capture(self, call: Call, stats: CallStats) -> None:
        if self._capture is None or call.body is None or stats.calls == 0:
            return
        self._capture.offer(
            CapturedRequest(
                request_id=call.request_id,
                endpoint=call.endpoint.name,
                request_body=call.body,
                status_code=stats.status,
                latency_ms=round(stats.latency_s * 1000),
            )
        )
