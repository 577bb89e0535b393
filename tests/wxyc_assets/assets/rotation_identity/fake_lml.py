"""An independent LML that gives releases their identities, or whatever else a test wants it to say."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from tests.arbitrary_lml import ArbitraryLml, serving

Body = dict[str, Any]


def minting(say: Callable[[Body], Any]) -> AbstractContextManager[ArbitraryLml]:
    """Serve identity resolution; ``say`` gets a body and returns an answer, bytes of one, or (status, headers)."""
    return serving(say, path="/api/v1/identity/resolve")


def release(body: Body) -> int:
    """The Discogs release that is asked about."""
    return int(body["external_id"])


def identity_of(discogs_release_id: int) -> int:
    """The identity that ``minted`` gives a release."""
    return discogs_release_id + 500_000


def minted(body: Body, **changed: Any) -> dict[str, Any]:
    """An answer as the contract has it."""
    return {"identity_id": identity_of(release(body)), "kind": "release", "minted": True, **changed}
