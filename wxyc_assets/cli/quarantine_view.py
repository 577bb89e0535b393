"""What ``wxyc quarantine`` shows: the quarantined inputs as a JSON object, and as lines for the terminal."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import class_row

from resources import sql_files

SHOWN = 50
"""How many inputs the terminal shows."""

LISTED = 1000
"""How many inputs the JSON object lists. All are counted."""


@dataclass(frozen=True)
class Quarantined:
    """An input that could not be used. ``rests_until``: LML is not asked about it before; None: the next run asks."""

    asset: str
    kind: str
    input_id: int
    reason: str
    failures: int
    first_seen_at: datetime
    last_seen_at: datetime
    run_id: str
    rests_until: datetime | None


@dataclass(frozen=True)
class QuarantineView:
    """The quarantined inputs, and, after a release, how many were released. ``dry_run``: they only would be."""

    inputs: Sequence[Quarantined]
    released: int | None = None
    dry_run: bool = False

    @property
    def resting(self) -> list[Quarantined]:
        """The inputs that LML is not asked about for a while."""
        return [each for each in self.inputs if each.rests_until]

    def as_json(self) -> dict[str, Any]:
        """Return the view as the object that the command prints."""
        counts = Counter(f"{each.asset}/{each.kind}" for each in self.inputs)
        release = {} if self.released is None else {"released": self.released, "dry_run": self.dry_run}
        return {
            "quarantined": len(self.inputs),
            "resting": len(self.resting),
            **release,
            "by_kind": dict(sorted(counts.items())),
            "inputs": [_json(each) for each in self.inputs[:LISTED]],
        }

    def lines(self) -> Iterator[str]:
        """Return the view as lines for the terminal."""
        for each in self.inputs[:SHOWN]:
            state = (
                f"rests until {each.rests_until:%Y-%m-%d %H:%M} UTC" if each.rests_until else "the next run asks again"
            )
            yield f"{each.asset} {each.input_id}: {each.kind}, {each.failures} in a row; {state}"
            yield f"    {each.reason.partition(chr(10))[0]}"
        if len(self.inputs) > SHOWN:
            yield f"and {len(self.inputs) - SHOWN} more: --asset and --kind narrow the list"
        yield self.headline()

    def headline(self) -> str:
        """Return the counts, in one line."""
        if self.released is not None:
            what = "would be released" if self.dry_run else "released: the next run asks about them again"
            return f"{self.released} inputs {what}"
        if not self.inputs:
            return "nothing is in quarantine"
        return f"{len(self.inputs)} inputs in quarantine, {len(self.resting)} of them rest"


def select_quarantine(
    connection: psycopg.Connection, asset: str | None, kind: str | None, input_ids: Sequence[int]
) -> list[Quarantined]:
    """Return the quarantined inputs of an asset, of a kind, or with these ids, those that rest the longest first."""
    with connection.cursor(row_factory=class_row(Quarantined)) as cursor:
        parameters = {"asset": asset, "kind": kind, "input_ids": list(input_ids) or None}
        return cursor.execute(sql_files.load("wxyc_assets.cli", "select_quarantine"), parameters).fetchall()


def release(connection: psycopg.Connection, inputs: Sequence[Quarantined]) -> int:
    """Let the next run ask about resting inputs again; return how many still rested."""
    parameters = {
        "asset": [each.asset for each in inputs],
        "kind": [each.kind for each in inputs],
        "input_id": [each.input_id for each in inputs],
    }
    return connection.execute(sql_files.load("wxyc_assets.cli", "release_quarantine"), parameters).rowcount


def _json(each: Quarantined) -> dict[str, Any]:
    return {
        name: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
        for name, value in asdict(each).items()
    }
