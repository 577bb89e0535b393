"""Reads and writes the track credits of compilations, all of a page at once."""

from collections.abc import Sequence
from dataclasses import replace

import orjson
import psycopg

from wxyc_assets.assets.library_identity import track_credits
from wxyc_assets.assets.library_identity.store import execute
from wxyc_assets.assets.library_identity.track_credits import CreditReview, StoredCredit, TrackCredit


def review(connection: psycopg.Connection, said: Sequence[TrackCredit]) -> CreditReview:
    """Return what is to become of the stored credits that LML names; writes nothing."""
    if not said:
        return CreditReview()
    rows = execute(connection, "select_track_credits", rows=orjson.dumps(said).decode()).fetchall()
    stored = [StoredCredit(*row) for row in rows]
    names = orjson.dumps(track_credits.names_to_find(said, stored)).decode()
    catalogue = dict(execute(connection, "select_catalogue_artists", names=names).fetchall())
    return track_credits.review(said, stored, catalogue)


def write(connection: psycopg.Connection, said: Sequence[TrackCredit]) -> CreditReview:
    """Write the stored credits that LML names, where its word differs from them; return what became of them.

    A row that another writer changed since it was read is counted as the statement found it.
    """
    reviewed = review(connection, said)
    if not reviewed.updates:
        return reviewed
    # By ascending id, as they were read: two writers that meet lock the rows in the same order.
    rows = orjson.dumps(reviewed.updates).decode()
    ((written, positioned),) = execute(connection, "update_track_credits", rows=rows).fetchall()
    counted = replace(
        reviewed.counters,
        compilation_track_rows_written=written,
        compilation_track_position_rows_written=positioned,
    )
    return replace(reviewed, counters=counted)
