"""Sentry for one run: spans, errors, messages and breadcrumbs, on a client of its own."""

import copy
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

import sentry_sdk
from sentry_sdk.consts import SPANDATA
from sentry_sdk.scope import Scope, ScopeType, use_isolation_scope, use_scope
from sentry_sdk.traces import StreamedSpan, start_span
from sentry_sdk.transport import Transport
from sentry_sdk.utils import event_from_exception

from resources.redaction import Redactor
from resources.scrubbing_transport import ScrubbingTransport
from resources.step_log import REPO

Level = Literal["debug", "info", "warning", "error", "fatal"]
AttributeValue = int | float | str | bool

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
HANDOVER_S = 0.1
"""Time for finished spans to get from the SDK's own thread to its transport."""

_PROBE_S: Final = 0.01
_CAPTURED_MARK: Final = "_wxyc_captured_by_sentry"


@dataclass(frozen=True)
class SentryConfig:
    """Where Sentry is, and what is sent; without a DSN nothing is sent.

    Attributes:
        dsn: The project's DSN.
        environment: Such as ``production``.
        release: The version that runs; None leaves it out.
        traces_sample_rate: The share of traces that is sent, 0 to 1. Errors and messages are always sent.
        secrets: Strings that never leave the process; those shorter than four characters are not searched for.
    """

    dsn: str | None = field(repr=False)
    environment: str = "local"
    release: str | None = None
    traces_sample_rate: float = 1.0
    secrets: tuple[str, ...] = field(default=(), repr=False)


class Span:
    """A running span, to which attributes can be added until it ends."""

    def __init__(self, span: StreamedSpan | None, redactor: Redactor) -> None:
        self._span = span
        self._redactor = redactor

    def set(self, name: str, value: AttributeValue) -> None:
        """Add an attribute. Numbers arrive as JSON numbers, ints as integers; NaN and infinity are left out."""
        if self._span is not None:
            with suppress(Exception):
                self._span.set_attributes(_attributes(self._redactor, {name: value}))

    def end(self, error: BaseException | None) -> None:
        """End the span, as failed if there is an error; ``Sentry.span`` does it."""
        if self._span is not None:
            self._span.__exit__(type(error) if error else None, error, error.__traceback__ if error else None)


class Sentry:
    """Reports one run to Sentry. Never raises; waits only in ``flush`` and ``close``.

    It has its own client and scopes and does not touch the global ones of ``sentry_sdk``: successive runs in one process share
    neither settings nor breadcrumbs, and overlapping runs do not close each other's client. All
    spans of one object are one trace. The current span travels in context variables: a worker thread that runs in a
    copy of the caller's context (``contextvars.copy_context().run``) gets the right parent.

    Every event carries the tag ``repo``; those of the object that ``of_run`` returns also ``tool`` and ``run_id``, the three
    that begin each line of the step log.

    It installs nothing in the process (no excepthook, no atexit): events that are not flushed are lost.
    """

    def __init__(self, client: sentry_sdk.Client | None, redactor: Redactor) -> None:
        self._client = client
        self._redactor = redactor
        self._tags: Mapping[str, str] = {"repo": REPO}
        self._wasted_s = 0.0
        self._isolation = Scope(ty=ScopeType.ISOLATION)
        self._base = Scope(ty=ScopeType.CURRENT)
        # Not set_client(): that writes this client's environment and release into the process-wide scope.
        self._isolation.client = self._base.client = client  # type: ignore[assignment]
        if client is not None:
            with self._entered():
                self._isolation.set_global_attributes()
                sentry_sdk.get_traceparent()  # fixes the trace id, as in _start

    @property
    def enabled(self) -> bool:
        """Whether anything is sent at all."""
        return self._client is not None

    def of_run(self, tool: str, run_id: str) -> "Sentry":
        """Return this client for the reports of one run; the caller still closes this one.

        Args:
            tool: The program or job that reports, such as ``library-identity-consumer``; as in its step log.
            run_id: Dagster's run id.
        """
        bound = copy.copy(self)
        bound._tags = {**self._tags, "tool": tool, "run_id": run_id}  # noqa: SLF001 - a copy of this object
        return bound

    @contextmanager
    def span(self, name: str, *, op: str, attributes: Mapping[str, AttributeValue] = _NOTHING) -> Iterator[Span]:
        """Run a block as a span below the current one. An exception marks it as failed and propagates.

        Source of names, ops and attributes: contract/, "Counters, span attributes, logs".
        """
        if self._client is None:
            yield Span(None, self._redactor)
            return
        with self._entered() as scope:
            span = self._start(name, {"sentry.op": op, **attributes})
            try:
                yield span
            except BaseException as error:
                self._end(span, scope, error)
                raise
            self._end(span, scope, None)

    def error(
        self,
        error: BaseException,
        *,
        step: str,
        extra: Mapping[str, object] = _NOTHING,
        fingerprint: Sequence[str] | None = None,
    ) -> None:
        """Report an exception, once: a second report of the same one is ignored, also inside Dagster's wrappers.

        Args:
            error: The exception; Dagster's own wrappers around a step's exception are removed.
            step: The step in which it was raised, sent as tag ``step``.
            extra: Further fields.
            fingerprint: Reports with the same one are one issue; None: Sentry's own grouping.
        """
        cause = _unwrapped(error)
        if self._client is None or getattr(cause, _CAPTURED_MARK, False):
            return
        with suppress(Exception):
            event, hint = event_from_exception(cause, self._client.options, {"type": "generic", "handled": True})
            self._capture(event, hint, tags={"step": step}, extra=extra, fingerprint=fingerprint)
            setattr(cause, _CAPTURED_MARK, True)

    def message(
        self,
        text: str,
        *,
        level: Level = "warning",
        fingerprint: Sequence[str],
        tags: Mapping[str, str] = _NOTHING,
        extra: Mapping[str, object] = _NOTHING,
    ) -> None:
        """Report a message without an exception. Messages with the same fingerprint are one issue, whatever their text."""
        if self._client is not None:
            with suppress(Exception):
                event = {"message": self._redactor.text(text), "level": level}
                self._capture(event, None, tags=tags, extra=extra, fingerprint=fingerprint)

    def breadcrumb(self, *, category: str, message: str, data: Mapping[str, object] = _NOTHING) -> None:
        """Record a breadcrumb, which later errors and messages of this run carry; the newest 100 are kept."""
        if self._client is not None:
            with suppress(Exception), self._entered():
                plain = self._redactor.plain(data)
                self._isolation.add_breadcrumb(category=category, message=self._redactor.text(message), data=plain)

    def flush(self, timeout_s: float = 5.0) -> None:
        """Wait until all reports have been sent, at most ``timeout_s`` seconds.

        A server that is down or hangs costs a run that time once and not at every step: the time that flushes have waited in
        vain is subtracted from the timeout of later ones.
        """
        if self._client is None:
            return
        remaining_s = max(_PROBE_S, timeout_s - self._wasted_s)
        started = time.monotonic()
        with suppress(Exception), self._entered():
            # The SDK's own thread may hold the last spans, not yet passed to the transport: a flush does not see those.
            time.sleep(HANDOVER_S)
            self._client.flush(timeout=remaining_s)
        waited_s = time.monotonic() - started
        if waited_s >= remaining_s:
            self._wasted_s += waited_s

    def close(self, timeout_s: float = 5.0) -> None:
        """Flush, then stop; every later call does nothing. May be called twice."""
        self.flush(timeout_s)
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                client.close(timeout=0)

    @contextmanager
    def _entered(self) -> Iterator[Scope]:
        """Make our client current, with a new scope: threads that shared one would take each other's parent."""
        current = Scope.get_current_scope()
        parent = current if current.client is self._base.client else self._base
        with use_isolation_scope(self._isolation), use_scope(parent.fork()) as scope:
            yield scope

    def _start(self, name: str, attributes: Mapping[str, AttributeValue]) -> Span:
        with suppress(Exception):
            span = start_span(self._redactor.text(name), attributes=_attributes(self._redactor, attributes))
            span.remove_attribute(SPANDATA.PROCESS_COMMAND_ARGS)  # the SDK puts sys.argv on every root span
            sentry_sdk.get_traceparent()  # fixes the ids: the SDK makes them lazily, and concurrent children saw two
            sentry_sdk.get_baggage()  # fixes the envelope's header: the SDK's sending thread does not know our client
            return Span(span, self._redactor)
        return Span(None, self._redactor)

    def _end(self, span: Span, scope: Scope, error: BaseException | None) -> None:
        # Entered again, because a generator may be closed from a context in which another client is current, or none.
        with suppress(Exception), use_isolation_scope(self._isolation), use_scope(scope):
            span.end(error)

    def _capture(
        self,
        event: Any,
        hint: Any,
        *,
        tags: Mapping[str, str],
        extra: Mapping[str, object],
        fingerprint: Sequence[str] | None,
    ) -> None:
        with self._entered() as scope:
            scope.set_tags({key: self._redactor.text(value) for key, value in {**self._tags, **tags}.items()})
            for key, value in extra.items():
                scope.set_extra(key, self._redactor.plain(value))
            if fingerprint is not None:
                scope.fingerprint = list(fingerprint)
            scope.capture_event(event, hint=hint)


def open_sentry(config: SentryConfig, *, transport: type[Transport] | Transport | None = None) -> Sentry:
    """Return the Sentry client of one run; the caller closes it.

    Args:
        config: Without a DSN every method of the result does nothing.
        transport: Replaces HTTP, for tests. It receives scrubbed envelopes.

    Raises ValueError if the DSN is invalid.
    """
    redactor = Redactor(config.secrets)
    if not config.dsn:
        return Sentry(None, redactor)
    try:
        client = _client(config, transport)
    except ValueError:
        raise ValueError("SENTRY_DSN is not a Sentry DSN, which looks like https://KEY@HOST/PROJECT") from None
    if client.transport is not None:
        client.transport = ScrubbingTransport(client.transport, redactor)
    return Sentry(client, redactor)


def _client(config: SentryConfig, transport: type[Transport] | Transport | None) -> sentry_sdk.Client:
    client = sentry_sdk.Client(
        dsn=config.dsn,
        environment=config.environment,
        release=config.release or "",  # with None the SDK runs git and reads the variables of a dozen hosting services
        traces_sample_rate=config.traces_sample_rate,
        trace_lifecycle="stream",  # the only mode with typed attributes at the start of a span
        transport=transport,
        max_breadcrumbs=100,
        default_integrations=False,  # they report argv and modules, and hook into logging and the excepthook
        auto_enabling_integrations=False,  # Dagster's own SQL would add some 50 spans a run
        include_local_variables=False,
        send_client_reports=False,  # they would be added after the scrubber
        auto_session_tracking=False,
        enable_backpressure_handling=False,
        in_app_include=["wxyc_assets", "resources", "sensors"],
        # Set, because otherwise the SDK reads the environment; both would show envelopes unscrubbed.
        spotlight=False,
        debug=False,
    )
    if not config.release:
        client.options["release"] = None
    return client


def _attributes(redactor: Redactor, values: Mapping[str, AttributeValue]) -> dict[str, Any]:
    plain = {redactor.text(name): redactor.plain(value) for name, value in values.items()}
    return {name: value for name, value in plain.items() if value is not None}


def _unwrapped(error: BaseException) -> BaseException:
    """Remove Dagster's wrappers (step execution error, user code error, Failure) that name what they wrap."""
    while type(error).__module__.partition(".")[0] in {"dagster", "dagster_shared"}:
        inner = error.__cause__ or getattr(error, "user_exception", None)
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error
