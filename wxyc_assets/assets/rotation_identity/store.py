"""Reads which rotation rows need an identity and how many have one, and sets those that LML gave."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from resources import sql_files
from wxyc_assets.rotation_identity.findings import Coverage
from wxyc_assets.rotation_identity.verdicts import Candidate, Outcome

ASSET = "rotation_identity"

EVERYTHING = "all"
"""The only unit of work and the key of the tally: the rotation is a few hundred rows, and never divided."""

SHOWN_MISSING = 20


@dataclass(frozen=True)
class Candidates:
    """The rows to ask about, by id, and how many rest because they failed three times in a row."""

    rows: Sequence[Candidate]
    resting: int


def _execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets.rotation_identity", query), parameters)


def candidates(connection: psycopg.Connection) -> Candidates:
    """Return the active rows that have a Discogs release and no identity, as of now."""
    found = _execute(connection, "select_candidates").fetchall()
    rows = [Candidate(rotation_id, release_id) for rotation_id, release_id, rests in found if not rests]
    return Candidates(rows, len(found) - len(rows))


def coverage(connection: psycopg.Connection) -> Coverage:
    """Return how much of the active rotation has an identity, as of now."""
    (row,) = _execute(connection, "select_coverage", shown=SHOWN_MISSING).fetchall()
    return Coverage(*row)


def set_identities(connection: psycopg.Connection, resolved: Collection[Outcome]) -> set[int]:
    """Give rows their identity and return which took it; the others were changed since they were read."""
    if not resolved:
        return set()  # a statement over no rows would still move the library's watermark
    rows = _execute(
        connection,
        "set_identities",
        rotation_id=[outcome.candidate.rotation_id for outcome in resolved],
        discogs_release_id=[outcome.candidate.discogs_release_id for outcome in resolved],
        lml_identity_id=[outcome.identity_id for outcome in resolved],
    )
    return {rotation_id for (rotation_id,) in rows}
