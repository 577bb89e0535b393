"""A Sentry client whose transport stores what it would send."""

from typing import Any

from sentry_sdk.transport import Transport

from resources.sentry import Sentry, SentryConfig, open_sentry


class Collector(Transport):
    """Stores the envelopes instead of sending them."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.envelopes.append(envelope)

    def payloads(self, kind: str) -> list[Any]:
        return [item.payload.json for envelope in self.envelopes for item in envelope.items if item.type == kind]

    @property
    def events(self) -> list[Any]:
        return self.payloads("event")

    @property
    def spans(self) -> list[Any]:
        return [span for batch in self.payloads("span") for span in batch["items"]]


def watched_sentry() -> tuple[Sentry, Collector]:
    """Return a Sentry client, and the transport that stores its envelopes."""
    collector = Collector()
    return open_sentry(SentryConfig(dsn="http://public@sentry.invalid/42"), transport=collector), collector
