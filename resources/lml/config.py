"""Owns what a client of LML is told at its start."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from resources.lml.endpoints import normalise_base_url

MIB = 1024 * 1024


@dataclass(frozen=True)
class LmlConfig:
    """Where LML is and how it is to be treated. Normalised when made; raises ValueError, never with the key in it.

    Attributes:
        base_url: with or without a trailing ``/api/v1``.
        api_key: sent as a bearer; None or blank sends none.
        attempts: tries of one call, the first included.
        backoff_initial_s: wait before the second try; doubles up to ``backoff_max_s``, plus up to ``backoff_jitter_s``.
        retry_after_max_s: longest wait between two tries of one call, however long LML asks for.
        penalty_max_s: longest time for which everybody is pushed back when LML asks to be left alone.
        timeouts_s: replaces an endpoint's own timeout, by endpoint name.
        max_answer_bytes: size of the largest answer that is read, after decompression.
        breaker_threshold: failures in a row after which LML is left alone for ``breaker_open_s``.
        max_in_flight: identity-resolution calls at once.
        pace_s: time between the starts of two identity-resolution calls.
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
    penalty_max_s: float = 300.0
    timeouts_s: Mapping[str, float] = field(default_factory=dict)
    max_answer_bytes: int = 32 * MIB
    breaker_threshold: int = 5
    breaker_open_s: float = 30.0
    max_in_flight: int = 8
    pace_s: float = 0.02
    cost_lookup_item: float = 1.0
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
