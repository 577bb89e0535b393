"""Where the rows of an asset come from: what LML answered about each input, in which batch of which run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson
import psycopg
from psycopg.rows import dict_row

from resources import sql_files
from wxyc_assets.runs.ledger import storable
from wxyc_assets.runs.partitions import SHARD_COUNT, rfc3339

PACKAGE = "wxyc_assets.runs"
MAX_METHOD = 100
SHOWN_ANSWERS = 5
MAX_ANSWERS = 50
"""Answers about one input that are read, the latest first."""

Row = Mapping[str, Any]


class Answered(NamedTuple):
    """LML's answer about one input: its outcome, the digest of the answer, and how LML found it (empty if it did not)."""

    input_id: int
    outcome: str
    answer_digest: str
    method: str


@dataclass(frozen=True)
class Provenance:
    """What our schema knows about one input.

    Attributes:
        answers: LML's answers, the latest first, each with its run and batch.
        failures: why the input could not be used, by kind, the latest first.
    """

    answers: list[Row]
    failures: list[Row]

    def written_at(self, instant: datetime | None) -> Row | None:
        """Return the answer whose transaction stamped this instant; None if another program did, or it was not recorded."""
        return next((row for row in self.answers if row["written_at"] == instant), None)

    @property
    def resting_until(self) -> datetime | None:
        """Until when the input is quarantined; None if it is not."""
        waits = [row["wait_until"] for row in self.failures if row["wait_until"] and not row["resolved_at"]]
        return max(waits, default=None)


def write_answers(
    connection: psycopg.Connection, *, asset: str, shard: int, run_id: str, batch: int, answered: Iterable[Answered]
) -> None:
    """Record the answers of a batch. Call this in the transaction that writes their rows."""
    answers = {one.input_id: (one.outcome, one.answer_digest, storable(one.method)[:MAX_METHOD]) for one in answered}
    if answers:
        text = orjson.dumps(answers, option=orjson.OPT_NON_STR_KEYS).decode()
        statement = sql_files.load(PACKAGE, "insert_answers")
        recorded = {"asset": asset, "partition_key": str(shard), "run_id": run_id, "batch": batch, "answers": text}
        connection.execute(statement, recorded)


def provenance_of(connection: psycopg.Connection, asset: str, input_id: int) -> Provenance:
    """Return what is known about an input of an asset with shards."""
    shard = str(input_id % SHARD_COUNT)
    of_input = {"asset": asset, "partition_key": shard, "input_id": str(input_id), "row_limit": MAX_ANSWERS}
    return Provenance(
        rows_of(connection, PACKAGE, "select_answers", **of_input),
        rows_of(connection, PACKAGE, "select_failures", asset=asset, input_id=input_id),
    )


def rows_of(connection: psycopg.Connection, package: str, query: str, /, **parameters: object) -> list[Row]:
    """Return the rows of a query of a package by column."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(sql_files.load(package, query), parameters))


def written_by(answer: Row | None) -> str:
    """Return which run wrote a row, and after which answer of LML."""
    if answer is None:
        return "by a program that is not recorded here"
    return f"by {_run(answer)}, answer {answer['answer_digest']}"


def answer_lines(provenance: Provenance) -> Iterator[str]:
    """Yield LML's answers as text, the latest first."""
    for row in provenance.answers[:SHOWN_ANSWERS]:
        found = f" by {row['method']}" if row["method"] else ""
        outcome = f"{row['outcome']}{found}"
        yield f"LML answered at {rfc3339(row['written_at'])}: {outcome}, {_run(row)}, answer {row['answer_digest']}"
    if len(provenance.answers) > SHOWN_ANSWERS:
        yield f"  and {len(provenance.answers) - SHOWN_ANSWERS} more: --json lists them"
    if not provenance.answers:
        yield "no answer of LML is recorded"


def failure_lines(provenance: Provenance) -> Iterator[str]:
    """Yield why the input could not be used, as text."""
    for row in provenance.failures:
        ended = f", used again since {rfc3339(row['resolved_at'])}" if row["resolved_at"] else ""
        times = f"{row['failures']} times, last" if row["failures"] > 1 else "once,"
        yield f"failed {times} at {rfc3339(row['last_seen_at'])}, run {row['run_id']}: {row['kind']}, {row['reason']}{ended}"


def _run(answer: Row) -> str:
    return f"{answer['origin'] or 'unrecorded'} run {answer['run_id']}, batch {answer['batch']}"
