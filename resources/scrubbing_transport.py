"""A Sentry transport that removes secrets from every envelope before the real transport sends it."""

import json
from collections.abc import Callable
from typing import Any

from sentry_sdk.envelope import Envelope, Item, PayloadRef
from sentry_sdk.transport import Transport

from resources.redaction import Redactor


class ScrubbingTransport(Transport):
    """Passes scrubbed envelopes to the inner transport; an item that cannot be scrubbed is dropped.

    The SDK's own hooks see one kind of item each (``before_send`` misses streamed spans), and after a failure of
    ``before_send_span`` the SDK sends the span unscrubbed. This transport sees every kind: events, transactions, spans, logs,
    metrics, sessions, check-ins, attachments, with all their headers.
    """

    def __init__(self, inner: Transport, redactor: Redactor) -> None:
        super().__init__()
        self.options = inner.options
        self.parsed_dsn = inner.parsed_dsn
        self._inner = inner
        self._redactor = redactor

    def capture_envelope(self, envelope: Envelope) -> None:
        """Send the scrubbed ``envelope``, without the items that cannot be scrubbed."""
        items = [clean for item in envelope.items if (clean := self._scrubbed(item)) is not None]
        headers = self._redactor.plain(envelope.headers)
        if items and isinstance(headers, dict):
            self._inner.capture_envelope(Envelope(headers=headers, items=items))

    def flush(self, timeout: float, callback: Callable[[int, float], None] | None = None) -> None:
        """Wait up to ``timeout`` seconds until the inner transport has sent its envelopes."""
        self._inner.flush(timeout, callback)

    def kill(self) -> None:
        """Stop sending."""
        self._inner.kill()

    def record_lost_event(self, *args: Any, **kwargs: Any) -> None:
        """Let the inner transport count the events that the SDK dropped."""
        self._inner.record_lost_event(*args, **kwargs)

    def is_healthy(self) -> bool:
        """Return whether the inner transport can send."""
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
        text = item.payload.get_bytes().decode()  # bytes that are not text cannot be searched, so they are dropped
        try:
            return PayloadRef(bytes=json.dumps(self._redactor.plain(json.loads(text))).encode())
        except ValueError:
            return PayloadRef(bytes=self._redactor.text(text).encode())
