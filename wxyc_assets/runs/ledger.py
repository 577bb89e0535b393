"""The ledger in our own schema: the runs, their tallies per partition, and the quarantined inputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from resources import sql_files
from wxyc_assets.runs.origin import RunOrigin

RunVerdict = Literal["done", "anomaly", "failed"]


@dataclass(frozen=True)
class Rejected:
    """One input that could not be used, or one batch, named by its first input.

    ``rests``: after three failures of this kind in a row the input rests for a day; False if the input did not cause it.
    """

    input_id: int
    kind: str
    reason: str
    payload_digest: str
    rests: bool = True


def _execute(connection: psycopg.Connection, name: str, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets.runs", name), parameters)


def storable(reason: str) -> str:
    """Replace what PostgreSQL cannot store: a reason quotes the input, which may hold a NUL or half a surrogate pair."""
    return reason.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def begin_run(connection: psycopg.Connection, run_id: str, asset: str, origin: RunOrigin) -> None:
    """Record that a run starts. A run that is resumed under the same id starts again."""
    _execute(connection, "begin_run", run_id=run_id, asset=asset, origin=origin)


def expect_calls(connection: psycopg.Connection, run_id: str, calls: float) -> None:
    """Record how many Discogs calls a run still expects to need; the forecast of the budget adds them up."""
    _execute(connection, "expect_calls", run_id=run_id, calls=calls)


def end_run(connection: psycopg.Connection, run_id: str, verdict: RunVerdict, reason: str) -> None:
    """Record that a run has ended by itself; a killed run never records it."""
    _execute(connection, "end_run", run_id=run_id, verdict=verdict, reason=storable(reason))


def write_tally(
    connection: psycopg.Connection,
    *,
    asset: str,
    partition_key: str,
    run_id: str,
    counters: Mapping[str, Any],
    complete: bool,
) -> None:
    """Store the counters of a partition so far. Call this in the transaction that writes the counted rows."""
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
    """Record rejected inputs and count their failures in a row; after three of the same kind an input rests for a day."""
    if not rejected:
        return
    _execute(
        connection,
        "quarantine_inputs",
        asset=asset,
        run_id=run_id,
        input_id=[item.input_id for item in rejected],
        kind=[item.kind for item in rejected],
        reason=[storable(item.reason)[:2000] for item in rejected],
        payload_digest=[item.payload_digest for item in rejected],
        rests=[item.rests for item in rejected],
    )


def release(connection: psycopg.Connection, asset: str, input_ids: Sequence[int]) -> None:
    """Record that inputs were used: the count of their failures in a row restarts at 0."""
    if input_ids:
        _execute(connection, "release_inputs", asset=asset, input_id=list(input_ids))


def recent_totals(
    connection: psycopg.Connection, asset: str, partition_keys: Sequence[str], before_run_id: str, limit: int
) -> list[dict[str, Any]]:
    """Return the counters of the last ``limit`` complete tallies of these partitions, newest first, without those of this run.

    Each is one partition's counters as stored.
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
