"""A fake LML, independent of the sandbox's, that warms the cache for identities or answers whatever a test wants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.arbitrary_lml import ArbitraryLml, serving

GATE_SHA = "8a1344c"
"""The commit that the contract names. It is written out here, so that a gate with another commit fails a test."""


@contextmanager
def serve_refreshes(answer: Callable[[list[int]], Any]) -> Iterator[ArbitraryLml]:
    """Serve refreshes; ``answer`` gets the ids and returns results, the bytes of a whole body, or (status, headers).

    It reports the commit of the gate, so that the gate needs no further request.
    """
    path = "/api/v1/cache/refresh-for-identities"
    with serving(answer, path=path, key="identity_ids", envelope=lambda results: {"results": results}) as lml:
        lml.health = {"status": "healthy", "commit_sha": GATE_SHA + "0" * 33}
        yield lml


def source(outcome: str = "success", artists: Any = ("success",)) -> dict[str, Any]:
    """One source of an identity, in the form of the contract."""
    listed = [{"external_id": str(i), "outcome": one, "message": None} for i, one in enumerate(artists)]
    return {"release_outcome": outcome, "artists": listed, "message": None}


def warmed(identity_id: int, **sources: Any) -> dict[str, Any]:
    """A warmed identity; by default its only source is Discogs, with a release and two artists."""
    given = sources or {"discogs": source(artists=("success", "success"))}
    return {"identity_id": identity_id, "status": "warmed", "sources": given, "message": None}


def with_status(identity_id: int, status: Any, sources: Any = None) -> dict[str, Any]:
    """An identity with a given status."""
    return {"identity_id": identity_id, "status": status, "sources": sources, "message": None}


def all_warmed(identity_ids: list[int]) -> list[dict[str, Any]]:
    """Warm all identities."""
    return [warmed(identity_id) for identity_id in identity_ids]


def mixed(identity_ids: list[int]) -> list[dict[str, Any]]:
    """Of ten identities one is not found, one is not implemented, one fails, and the others are warmed."""
    kinds = {0: "not_found", 1: "not_implemented", 2: "error"}
    return [with_status(one, kinds[one % 10]) if one % 10 in kinds else warmed(one) for one in identity_ids]
