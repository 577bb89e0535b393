"""An export of billed rows: streamed from the database, exact, as CSV or as Parquet."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import IO, Any

import psycopg

from wxyc_assets.assets.rated_usage.money import DECIMALS, Usd
from wxyc_assets.assets.rated_usage.reports.rows import Rows, stream

MONEY = ("applied_prompt_rate", "applied_cached_rate", "applied_completion_rate", "cost")
INSTANTS = ("window_start", "window_end", "rated_at")
TOKENS = ("prompt_tokens", "cached_tokens", "completion_tokens", "billable_prompt_tokens", "event_count")
OPTIONAL = ("org_id",)
ROW_GROUP = 50_000
"""Rows of a row group, which Parquet keeps in memory: an export of 497,333 rows took 306 MB, as CSV 67 MB."""

PRECISION = 38
"""Digits of a decimal in Parquet: the most that its readers agree on."""


class NoPyarrowError(Exception):
    """Parquet was asked for, and pyarrow is not installed."""


@dataclass
class Exported:
    """What was exported so far."""

    rows: int = 0
    cost: Usd = field(default_factory=Usd)


def billed_rows(connection: psycopg.Connection, since: datetime, until: datetime) -> Rows:
    """Return the billed rows of the hours in [since, until)."""
    return stream(connection, "select_export", since=since, until=until)


def write_csv(rows: Rows, file: IO[bytes]) -> Exported:
    """Write rows as CSV of RFC 4180 in UTF-8, with a header."""
    exported = Exported()
    text = io.TextIOWrapper(file, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow(rows.columns)
    writer.writerows(_counted(rows, exported))
    text.flush()
    text.detach()
    return exported


def write_parquet(rows: Rows, file: IO[bytes]) -> Exported:
    """Write rows as Parquet: amounts as decimals, instants as UTC timestamps.

    Raises NoPyarrowError; pyarrow.ArrowInvalid for an amount that is not of whole nano-dollars.
    """
    pa, pq = _pyarrow()
    kinds = {
        **dict.fromkeys(MONEY, pa.decimal128(PRECISION, DECIMALS)),
        **dict.fromkeys(INSTANTS, pa.timestamp("us", tz="UTC")),
        **dict.fromkeys(TOKENS, pa.int64()),
    }
    schema = pa.schema(
        [pa.field(name, kinds.get(name, pa.string()), nullable=name in OPTIONAL) for name in rows.columns]
    )
    exported = Exported()
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in _batches(_counted(rows, exported)):
            columns = [
                [_typed(name, value) for value in values]
                for name, values in zip(rows.columns, zip(*batch, strict=True), strict=True)
            ]
            arrays = [
                pa.array(values, schema.field(name).type) for name, values in zip(rows.columns, columns, strict=True)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
    return exported


def require_pyarrow() -> None:
    """Raise NoPyarrowError unless pyarrow is installed."""
    _pyarrow()


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise NoPyarrowError(
            "Parquet needs pyarrow, which is not installed: install the extra, `pip install 'wxyc-assets[parquet]'`, or "
            "export as CSV"
        ) from error
    return pa, pq


def _batches(rows: Iterator[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    while batch := list(islice(rows, ROW_GROUP)):
        yield batch


def _counted(rows: Rows, exported: Exported) -> Iterator[Sequence[Any]]:
    cost = rows.columns.index("cost")
    for values in rows.tuples:
        exported.rows += 1
        exported.cost += Usd.parse(values[cost])
        yield values


def _typed(name: str, value: Any) -> Any:
    if name in MONEY:
        return Decimal(value)
    return datetime.fromisoformat(value) if name in INSTANTS else value
