"""An independent LML that warms the cache for identities, or says whatever else a test wants it to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.arbitrary_lml import ArbitraryLml, serving

GATE_SHA = "8a1344c"
"""The commit that the contract names; written out, so that a gate with another one is noticed."""


@contextmanager
def warming(say: Callable[[list[int]], Any]) -> Iterator[ArbitraryLml]:
    """Serve refreshes; ``say`` gets the ids and returns results, bytes of a whole body, or (status, headers).

    It runs the commit of the gate, so that nothing else is asked of it.
    """
    path = "/api/v1/cache/refresh-for-identities"
    with serving(say, path=path, key="identity_ids", envelope=lambda results: {"results": results}) as lml:
        lml.health = {"status": "healthy", "commit_sha": GATE_SHA + "0" * 33}
        yield lml


def source(outcome: str = "success", artists: Any = ("success",)) -> dict[str, Any]:
    """One source of an identity, as the contract has it."""
    listed = [{"external_id": str(i), "outcome": one, "message": None} for i, one in enumerate(artists)]
    return {"release_outcome": outcome, "artists": listed, "message": None}


def warmed(identity_id: int, **sources: Any) -> dict[str, Any]:
    """A warmed identity; without sources given, with a release and two artists at Discogs."""
    given = sources or {"discogs": source(artists=("success", "success"))}
    return {"identity_id": identity_id, "status": "warmed", "sources": given, "message": None}


def said(identity_id: int, status: Any, sources: Any = None) -> dict[str, Any]:
    """An identity with another status."""
    return {"identity_id": identity_id, "status": status, "sources": sources, "message": None}


def all_warmed(identity_ids: list[int]) -> list[dict[str, Any]]:
    """Warm everything."""
    return [warmed(identity_id) for identity_id in identity_ids]


def mixed(identity_ids: list[int]) -> list[dict[str, Any]]:
    """Of ten identities one is not found, one not implemented, one fails; the others are warmed."""
    kinds = {0: "not_found", 1: "not_implemented", 2: "error"}
    return [said(one, kinds[one % 10]) if one % 10 in kinds else warmed(one) for one in identity_ids]
