"""The ledger: what each run tallied, what was quarantined, and how a run ended. Rows of our own schema only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from resources import sql_files
from wxyc_assets.run_origin import RunOrigin

RunVerdict = Literal["done", "anomaly", "failed"]


@dataclass(frozen=True)
class Rejected:
    """One input, or one batch by its first input, that could not be used.

    ``rests``: after three failures of this kind in a row the input waits a day; False for what is not its own doing.
    """

    input_id: int
    kind: str
    reason: str
    payload_digest: str
    rests: bool = True


def _execute(connection: psycopg.Connection, name: str, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets", name), parameters)


def _text(reason: str) -> str:
    """Reasons quote what came in, and PostgreSQL keeps neither a NUL nor half a surrogate pair."""
    return reason.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def begin_run(connection: psycopg.Connection, run_id: str, asset: str, origin: RunOrigin) -> None:
    """Record that a run takes up work. A run that is resumed under the same id begins again."""
    _execute(connection, "begin_run", run_id=run_id, asset=asset, origin=origin)


def expect_calls(connection: psycopg.Connection, run_id: str, calls: float) -> None:
    """Record how many Discogs calls a run still expects to ask for, by its own estimate: the budget's forecast adds them up."""
    _execute(connection, "expect_calls", run_id=run_id, calls=calls)


def end_run(connection: psycopg.Connection, run_id: str, verdict: RunVerdict, reason: str) -> None:
    """Record that a run has ended by itself; a killed run never gets here."""
    _execute(connection, "end_run", run_id=run_id, verdict=verdict, reason=_text(reason))


def write_tally(
    connection: psycopg.Connection,
    *,
    asset: str,
    partition_key: str,
    run_id: str,
    counters: Mapping[str, Any],
    complete: bool,
) -> None:
    """Store what the run has counted in a partition so far. Call it in the transaction that writes the counted rows."""
    _execute(
        connection,
        "upsert_tally",
        asset=asset,
        partition_key=partition_key,
        run_id=run_id,
        counters=Jsonb(counters),
        complete=complete,
    )


def quarantine(connection: psycopg.Connection, asset: str, run_id: str, rejected: Sequence[Rejected]) -> None:
    """Record rejects, count failures in a row, and send an input that failed three times the same way to rest for a day."""
    if not rejected:
        return
    _execute(
        connection,
        "quarantine_inputs",
        asset=asset,
        run_id=run_id,
        input_id=[item.input_id for item in rejected],
        kind=[item.kind for item in rejected],
        reason=[_text(item.reason)[:2000] for item in rejected],
        payload_digest=[item.payload_digest for item in rejected],
        rests=[item.rests for item in rejected],
    )


def release(connection: psycopg.Connection, asset: str, input_ids: Sequence[int]) -> None:
    """Record that inputs were used after all: their failures in a row start anew."""
    if input_ids:
        _execute(connection, "release_inputs", asset=asset, input_id=list(input_ids))


def recent_totals(
    connection: psycopg.Connection, asset: str, partition_keys: Sequence[str], before_run_id: str, limit: int
) -> list[dict[str, Any]]:
    """Return the counters of the last ``limit`` complete runs before this one that tallied any of the partitions, newest first.

    Each is a list of one dict a partition tally, as stored.
    """
    rows = _execute(
        connection,
        "select_recent_tallies",
        asset=asset,
        partition_keys=list(partition_keys),
        run_id=before_run_id,
        run_limit=limit,
    )
    return [row[0] for row in rows]
