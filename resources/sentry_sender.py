"""Sends one event or check-in to Sentry and waits for the answer, for callers that must know that it arrived."""

import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx
from sentry_sdk.consts import EndpointType
from sentry_sdk.envelope import Envelope
from sentry_sdk.utils import BadDsn, Dsn

from resources.deadline_transport import DeadlineTransport, deadline
from resources.redaction import Redactor
from resources.sentry import Level, SentryConfig
from resources.step_log import REPO

CLIENT: Final = "wxyc_assets"
TIMEOUT_S: Final = 5.0
"""How long one exchange may take, from the connection to the answer's last header."""

NO_RUN: Final = "none"
"""The tag ``run_id`` of an event that is about no run; Sentry drops empty tags."""

MAX_RETRY_AFTER_S: Final = 900.0
"""The longest wait that a Retry-After can ask for."""


class SentrySendError(Exception):
    """An event did not arrive; the message says why, without secrets.

    Attributes:
        retry_after_s: how long Sentry wants to receive nothing, at most MAX_RETRY_AFTER_S; None if it does not say.
        refused: Sentry read this event and refused it; other events may still be accepted.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None, refused: bool = False) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.refused = refused


@dataclass(frozen=True)
class SentryEvent:
    """One event for Sentry.

    Attributes:
        event_id: 32 hex digits; Sentry stores one event per id, however often it is sent.
        tool: the tag of that name: the job that the event is about, as in its step log.
        run_id: the tag of that name: Dagster's run id; None: no run, and the tag is ``none``.
        tags: further tags.
        exception: class and message of an exception; None for an event with a message only.
    """

    event_id: str
    at: datetime
    level: Level
    message: str
    fingerprint: Sequence[str]
    tool: str
    run_id: str | None
    tags: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    exception: tuple[str, str] | None = None


class SentrySender:
    """Sends envelopes, each in a request of its own. Not thread-safe."""

    def __init__(self, config: SentryConfig, *, timeout_s: float = TIMEOUT_S) -> None:
        """Raises ValueError if the DSN is missing or invalid."""
        try:
            auth = Dsn(config.dsn or "").to_auth(CLIENT)
        except BadDsn:
            raise ValueError("SENTRY_DSN is not a Sentry DSN, which looks like https://KEY@HOST/PROJECT") from None
        self._config = config
        self._timeout_s = timeout_s
        self._redactor = Redactor(config.secrets)
        self._url = auth.get_api_url(EndpointType.ENVELOPE)
        headers = {"X-Sentry-Auth": auth.to_header(), "Content-Type": "application/x-sentry-envelope"}
        transport = DeadlineTransport(proxy=_proxy_of(self._url), trust_env=True)
        self._http = httpx.Client(headers=headers, timeout=timeout_s, transport=transport)

    @property
    def address(self) -> str:
        """Which Sentry and project receives, without the key."""
        return self._url

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def send(self, event: SentryEvent) -> None:
        """Send one event, scrubbed, and return once Sentry has accepted it. Raises SentrySendError."""
        envelope = Envelope(headers={"event_id": event.event_id, "sent_at": _timestamp(datetime.now(UTC))})
        envelope.add_event(self._payload(event))
        self._post(envelope)

    def check_in(self, monitor: str, schedule: Mapping[str, Any], *, margin_minutes: int) -> None:
        """Tell Sentry's cron monitor that a job has run; Sentry creates the monitor if it does not exist.

        Args:
            monitor: its slug.
            schedule: when check-ins are due, as Sentry has it: ``{"type": "interval", "value": 1, "unit": "minute"}``.
            margin_minutes: how late a check-in may be before Sentry reports it as missed.

        Raises SentrySendError.
        """
        envelope = Envelope(headers={"sent_at": _timestamp(datetime.now(UTC))})
        envelope.add_checkin(
            {
                "check_in_id": uuid.uuid4().hex,
                "monitor_slug": monitor,
                "status": "ok",
                "environment": self._config.environment,
                "release": self._config.release,
                "monitor_config": {"schedule": dict(schedule), "checkin_margin": margin_minutes, "timezone": "UTC"},
            }
        )
        self._post(envelope)

    def _post(self, envelope: Envelope) -> None:
        """Send one envelope. Of the answer only the headers are read: its body says nothing that is needed."""
        request = self._http.build_request("POST", self._url, content=envelope.serialize())
        try:
            with deadline(time.monotonic() + self._timeout_s):
                answer = self._http.send(request, stream=True)
                answer.close()
        except httpx.HTTPError as error:
            reason = self._redactor.text(f"{type(error).__name__}: {error}")
            raise SentrySendError(f"Sentry cannot be reached: {reason}") from error
        if not answer.is_success:
            throttled = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
            raise SentrySendError(
                f"Sentry answered {answer.status_code}",
                retry_after_s=_seconds(answer.headers.get("Retry-After")),
                refused=answer.is_client_error and not throttled,
            )

    def _payload(self, event: SentryEvent) -> Any:
        payload: dict[str, Any] = {
            "event_id": event.event_id,
            "timestamp": _timestamp(event.at),
            "platform": "python",
            "logger": CLIENT,
            "level": event.level,
            "environment": self._config.environment,
            "fingerprint": list(event.fingerprint),
            "tags": {"repo": REPO, "tool": event.tool, "run_id": event.run_id or NO_RUN, **event.tags},
            "extra": dict(event.extra),
            "message": {"formatted": event.message},
        }
        if self._config.release:
            payload["release"] = self._config.release
        if event.exception:
            kind, value = event.exception
            payload["exception"] = {"values": [{"type": kind, "value": value}]}
        return self._redactor.plain(payload)


def _timestamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _seconds(retry_after: str | None) -> float | None:
    """Return how long a Retry-After asks to wait, within bounds. It is a number of seconds or a date; None for other text."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        seconds = _seconds_until(retry_after)
    return None if math.isnan(seconds) else min(max(0.0, seconds), MAX_RETRY_AFTER_S)


def _seconds_until(http_date: str) -> float:
    """Return how long it is until a date; NaN if the text is no date."""
    try:
        at = parsedate_to_datetime(http_date)
    except (ValueError, OverflowError, TypeError, IndexError):
        return math.nan
    return (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _proxy_of(url: str) -> str | None:
    """Return the proxy that the environment names for a URL."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)
