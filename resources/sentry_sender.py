"""One event to Sentry, with its answer awaited: for whoever must know that it arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from sentry_sdk.consts import EndpointType
from sentry_sdk.envelope import Envelope
from sentry_sdk.utils import BadDsn, Dsn

from resources.redaction import Redactor
from resources.sentry import Level, SentryConfig

CLIENT: Final = "wxyc_assets"
TIMEOUT_S: Final = 5.0


class SentryPostError(Exception):
    """An event did not arrive; the message says why, without secrets.

    ``retry_after_s``: how long Sentry asks to be left alone; None: it did not say. ``refused``: Sentry read the event and does
    not want it, which says nothing of other events.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None, refused: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.refused = refused


@dataclass(frozen=True)
class SentryEvent:
    """What Sentry is told. ``event_id``: 32 hex digits; Sentry keeps one event of an id, however often it is sent.

    ``exception``: the class and message of what happened, in the place of a message of no class.
    """

    event_id: str
    at: datetime
    level: Level
    message: str
    fingerprint: Sequence[str]
    tags: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    exception: tuple[str, str] | None = None


class SentryPost:
    """Posts events, each by itself. One object may be used by one thread at a time."""

    def __init__(self, config: SentryConfig, *, timeout_s: float = TIMEOUT_S) -> None:
        """Raises ValueError if there is no DSN, or one that is none."""
        try:
            auth = Dsn(config.dsn or "").to_auth(CLIENT)
        except BadDsn:
            raise ValueError("SENTRY_DSN is not a Sentry DSN, which looks like https://KEY@HOST/PROJECT") from None
        self._config = config
        self._redactor = Redactor(config.secrets)
        self._url = auth.get_api_url(EndpointType.ENVELOPE)
        headers = {"X-Sentry-Auth": auth.to_header(), "Content-Type": "application/x-sentry-envelope"}
        self._http = httpx.Client(headers=headers, timeout=timeout_s)

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def send(self, event: SentryEvent) -> None:
        """Send one event, scrubbed, and return when Sentry has it. Raises SentryPostError."""
        body = self._envelope(event).serialize()
        try:
            answer = self._http.post(self._url, content=body)
        except httpx.HTTPError as error:
            said = self._redactor.text(f"{type(error).__name__}: {error}")
            raise SentryPostError(f"Sentry cannot be reached: {said}") from error
        if not answer.is_success:
            raise SentryPostError(
                f"Sentry answered {answer.status_code}",
                retry_after_s=_seconds(answer.headers.get("Retry-After")),
                refused=answer.is_client_error and answer.status_code != httpx.codes.TOO_MANY_REQUESTS,
            )

    def _envelope(self, event: SentryEvent) -> Envelope:
        envelope = Envelope(headers={"event_id": event.event_id, "sent_at": _written(datetime.now(UTC))})
        envelope.add_event(self._payload(event))
        return envelope

    def _payload(self, event: SentryEvent) -> Any:
        said: dict[str, Any] = {
            "event_id": event.event_id,
            "timestamp": _written(event.at),
            "platform": "python",
            "logger": CLIENT,
            "level": event.level,
            "environment": self._config.environment,
            "fingerprint": list(event.fingerprint),
            "tags": dict(event.tags),
            "extra": dict(event.extra),
            "message": {"formatted": event.message},
        }
        if self._config.release:
            said["release"] = self._config.release
        if event.exception:
            kind, value = event.exception
            said["exception"] = {"values": [{"type": kind, "value": value}]}
        return self._redactor.plain(said)


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None
