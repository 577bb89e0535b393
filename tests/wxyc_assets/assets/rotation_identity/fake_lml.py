"""A fake LML, independent of the sandbox's, that resolves identities or answers whatever a test wants."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from tests.arbitrary_lml import ArbitraryLml, serving

Body = dict[str, Any]


def serve_identities(answer: Callable[[Body], Any]) -> AbstractContextManager[ArbitraryLml]:
    """Serve identity resolution; ``answer`` gets a body and returns an answer, the bytes of one, or (status, headers)."""
    return serving(answer, path="/api/v1/identity/resolve")


def release(body: Body) -> int:
    """The Discogs release of a request."""
    return int(body["external_id"])


def identity_of(discogs_release_id: int) -> int:
    """The identity that ``minted`` gives a release."""
    return discogs_release_id + 500_000


def minted(body: Body, **changed: Any) -> dict[str, Any]:
    """An answer that keeps the contract, except for the fields ``changed``."""
    return {"identity_id": identity_of(release(body)), "kind": "release", "minted": True, **changed}
