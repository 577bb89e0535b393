"""The last gate before Sentry: a transport that lets envelopes through only without secrets."""

import json
from collections.abc import Callable
from typing import Any

from sentry_sdk.envelope import Envelope, Item, PayloadRef
from sentry_sdk.transport import Transport

from resources.redaction import Redactor


class ScrubbingTransport(Transport):
    """Hands on what it has scrubbed; what it cannot scrub is dropped.

    The SDK's own hooks see one kind each (``before_send`` misses streamed spans), and a ``before_send_span`` that fails
    lets the span pass as it was. Here every kind passes: events, transactions, spans, logs, metrics, sessions,
    check-ins, attachments, with all their headers.
    """

    def __init__(self, inner: Transport, redactor: Redactor) -> None:
        super().__init__()
        self.options = inner.options
        self.parsed_dsn = inner.parsed_dsn
        self._inner = inner
        self._redactor = redactor

    def capture_envelope(self, envelope: Envelope) -> None:
        """Send what is left of ``envelope`` after scrubbing; an item that cannot be scrubbed is left out."""
        items = [clean for item in envelope.items if (clean := self._scrubbed(item)) is not None]
        headers = self._redactor.plain(envelope.headers)
        if items and isinstance(headers, dict):
            self._inner.capture_envelope(Envelope(headers=headers, items=items))

    def flush(self, timeout: float, callback: Callable[[int, float], None] | None = None) -> None:
        """Wait up to ``timeout`` seconds for what was handed on."""
        self._inner.flush(timeout, callback)

    def kill(self) -> None:
        """Stop sending."""
        self._inner.kill()

    def record_lost_event(self, *args: Any, **kwargs: Any) -> None:
        """Let the inner transport count what the SDK dropped."""
        self._inner.record_lost_event(*args, **kwargs)

    def is_healthy(self) -> bool:
        """Tell whether the inner transport can send."""
        return self._inner.is_healthy()

    def _scrubbed(self, item: Item) -> Item | None:
        try:
            headers = self._redactor.plain(item.headers)
            payload = self._payload(item)
            return Item(payload=payload, headers=headers) if isinstance(headers, dict) else None
        except Exception:  # noqa: BLE001 - a fault in scrubbing must cost the payload, never a secret or the run
            return None

    def _payload(self, item: Item) -> PayloadRef:
        if item.payload.json is not None:
            return PayloadRef(json=self._redactor.plain(item.payload.json))
        text = item.payload.get_bytes().decode()  # bytes that are no text cannot be searched, so they do not leave
        try:
            return PayloadRef(bytes=json.dumps(self._redactor.plain(json.loads(text))).encode())
        except ValueError:
            return PayloadRef(bytes=self._redactor.text(text).encode())
