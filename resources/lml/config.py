"""The configuration of a client of LML."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from resources.lml.endpoints import normalise_base_url

MIB = 1024 * 1024


@dataclass(frozen=True)
class LmlConfig:
    """Where LML is, and the limits of calls to it. Normalised on creation; raises ValueError, whose text never holds the key.

    Attributes:
        base_url: with or without a trailing ``/api/v1``.
        api_key: sent as a bearer token; with None or a blank key none is sent.
        attempts: tries of one call, the first included.
        backoff_initial_s: wait before the second try; doubles up to ``backoff_max_s``, plus up to ``backoff_jitter_s``.
        retry_after_max_s: longest wait between two tries of one call, even if Retry-After is longer.
        block_max_s: longest time for which a 429 or 503 with Retry-After blocks the budget for every caller.
        timeouts_s: replaces an endpoint's own timeout, by endpoint name.
        max_answer_bytes: size of the largest answer that the client reads, after decompression.
        breaker_threshold: failures in a row after which the circuit breaker opens for ``breaker_open_s``.
        max_in_flight: identity-resolution calls at once.
        min_interval_s: time between the starts of two identity-resolution calls.
        cost_lookup_item, cost_refresh_id, cost_resolve, cost_mint: estimated Discogs calls for one album, one identity,
            one batch of libraries and one release.
    """

    base_url: str
    api_key: SecretStr | None = None
    attempts: int = 3
    backoff_initial_s: float = 0.2
    backoff_max_s: float = 5.0
    backoff_jitter_s: float = 0.2
    retry_after_max_s: float = 30.0
    block_max_s: float = 300.0
    timeouts_s: Mapping[str, float] = field(default_factory=dict)
    max_answer_bytes: int = 32 * MIB
    breaker_threshold: int = 5
    breaker_open_s: float = 30.0
    max_in_flight: int = 8
    min_interval_s: float = 0.02
    cost_lookup_item: float = 2.5
    cost_refresh_id: float = 4.0
    cost_resolve: float = 0.0
    cost_mint: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", normalise_base_url(self.base_url))
        object.__setattr__(self, "api_key", _sendable(self.api_key))
        if min(self.attempts, self.breaker_threshold, self.max_in_flight, self.max_answer_bytes) < 1:
            raise ValueError("attempts, breaker_threshold, max_in_flight and max_answer_bytes must be at least 1")


def _sendable(api_key: SecretStr | None) -> SecretStr | None:
    """Return the key without surrounding whitespace (secret files end in a newline), or None if nothing is left."""
    text = api_key.get_secret_value().strip() if api_key else ""
    if not text:
        return None
    # Anything else would only fail deep in the HTTP stack, in an exception that quotes the whole header.
    if not re.fullmatch(r"[\x21-\x7e]+", text):
        raise ValueError("LML_API_KEY holds a space or a character that no HTTP header can carry; copy it anew")
    return SecretStr(text)
