"""Reads which rotation rows need an identity and how many have one, and sets identities."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from resources import sql_files
from wxyc_assets.assets.rotation_identity.checks import Coverage
from wxyc_assets.assets.rotation_identity.verdicts import Candidate, Outcome

ASSET = "rotation_identity"

WHOLE_ROTATION = "all"
"""The only unit of work and the key of the tally: the rotation has a few hundred rows, and is never divided."""

MAX_MISSING_IDS = 20


@dataclass(frozen=True)
class Candidates:
    """The rows to ask about, by id, and the number of rows that rest because they were rejected three times in a row."""

    rows: Sequence[Candidate]
    resting: int


def _execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets.assets.rotation_identity", query), parameters)


def candidates(connection: psycopg.Connection) -> Candidates:
    """Return the active rows that currently have a Discogs release and no identity."""
    found = _execute(connection, "select_candidates").fetchall()
    rows = [Candidate(rotation_id, release_id) for rotation_id, release_id, rests in found if not rests]
    return Candidates(rows, len(found) - len(rows))


def coverage(connection: psycopg.Connection) -> Coverage:
    """Return how much of the active rotation currently has an identity."""
    (row,) = _execute(connection, "select_coverage", max_missing=MAX_MISSING_IDS).fetchall()
    return Coverage(*row)


def set_identities(connection: psycopg.Connection, resolved: Collection[Outcome]) -> set[int]:
    """Set identities and return the ids of the updated rows; the other rows changed after they were read."""
    if not resolved:
        return set()  # even a statement that updates no row moves the library's watermark
    rows = _execute(
        connection,
        "set_identities",
        rotation_id=[outcome.candidate.rotation_id for outcome in resolved],
        discogs_release_id=[outcome.candidate.discogs_release_id for outcome in resolved],
        lml_identity_id=[outcome.identity_id for outcome in resolved],
    )
    return {rotation_id for (rotation_id,) in rows}
