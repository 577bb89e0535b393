"""Says which other writers wrote to the station's tables in the last day, as far as the tables show it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import psycopg

from resources import sql_files
from resources.embedded_postgres import EmbeddedPostgresError
from wxyc_assets.cli.alerts_view import format_age
from wxyc_assets.cli.doctor_checks.diagnosis import Context, Diagnosis
from wxyc_assets.database import connections
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.database.sessions import Sessions, open_sessions
from wxyc_assets.settings import DatabaseSettings

ROW_LIMIT: Final = 2000
"""The newest rows that are read of a table or an index."""

TIMEOUT_MS: Final = 2000
"""The longest that PostgreSQL may read for one statement."""

IDENTITY_NOTES: Final = "consumer:lml-bulk"
"""``notes`` of the identities that library_identity writes, and that its predecessor wrote."""

JOB_ADVICE: Final = "a job and its asset never run at once: docs/migration.md, Cut-over"


@dataclass(frozen=True)
class Sign:
    """What rows of one kind say of their writer: ``rows`` in words, ``writer``, and the cron job that would write such rows."""

    rows: str
    writer: str
    job: str = ""


@dataclass(frozen=True)
class Look:
    """One statement about the rows of one table; ``asset``: ours that writes there as well, whose runs it leaves out.

    ``of_billing``: the table is in the database of billing, which may be another one.
    """

    table: str
    statement: str
    signs: Mapping[str, Sign]
    asset: str = ""
    of_billing: bool = False


LOOKS: Final = (
    Look(
        "flowsheet",
        "select_writers_of_flowsheet",
        {
            "claimed": Sign("plays are claimed", "the enrichment worker"),
            "match": Sign(
                "plays with a match changed outside of our runs", "the enrichment worker, its sweep, or an editor"
            ),
            "no_match": Sign("plays without a match changed", "the enrichment worker or its sweep"),
            "rechecked": Sign("plays were asked about again", "the no-match recheck"),
        },
        asset="flowsheet_enrichment",
    ),
    Look(
        "album_metadata",
        "select_writers_of_album_metadata",
        {
            "album": Sign(
                "albums of plays were written outside of our runs",
                "the enrichment worker or its streaming re-ask",
                job="album-level-backfill",
            )
        },
        asset="album_metadata",
    ),
    Look(
        "library_identity",
        "select_writers_of_library_identity",
        {
            "manual": Sign("identities were decided by hand", "a librarian"),
            "identity": Sign(
                "identities were verified outside of our runs", "an unknown writer", job="library-identity-consumer"
            ),
            "other_identity": Sign("identities carry the notes of another program", "an unknown writer"),
        },
        asset="library_identity",
    ),
    Look(
        "library and rotation",
        "select_writers_of_catalogue",
        {
            "imported": Sign("albums were added to the library", "the library import"),
            "canonicalised": Sign("of the newest albums got a canonical entity", "the canonical-entity backfill"),
            "release_id": Sign("releases in rotation were looked up", "the rotation release-id backfill"),
            "rotated": Sign("releases came into rotation", "the rotation import"),
        },
    ),
    Look(
        "rated_usage",
        "select_writers_of_rated_usage",
        {"bill": Sign("bills are newer than our rating of their hour", "an unknown writer", job="rater")},
        of_billing=True,
    ),
)


def check_other_writers(context: Context) -> Iterator[Diagnosis]:
    """Say of each table which other writers its rows show; a run works beside the station's own, so this only tells."""
    settings = context.settings(DatabaseSettings)
    if not settings.database_url and not connections.embedded(settings).running():
        return  # check_database reports that the embedded server is not running
    try:
        station, billing = (
            replace(postgres, statement_timeout_ms=TIMEOUT_MS)
            for postgres in (connections.postgres_from(settings), connections.billing_from(settings))
        )
        with open_sessions(station, billing) as sessions:
            yield from look_for_writers(sessions)
    except (psycopg.OperationalError, MigrationError, EmbeddedPostgresError):
        return  # check_database reports it


def look_for_writers(sessions: Sessions) -> Iterator[Diagnosis]:
    """Yield what each table shows, or, if none shows a writer, that none does."""
    windows = _run_windows(sessions.station)
    places = [(look, sessions.billing if look.of_billing else sessions.station) for look in LOOKS]
    found = [diagnosis for look, connection in places if connection and (diagnosis := _look(connection, look, windows))]
    nothing = Diagnosis(
        "other writers", ok=True, says="none wrote in the last day, as far as the station's tables show it"
    )
    yield from found or [nothing]


def _look(
    connection: psycopg.Connection, look: Look, windows: Mapping[str, Sequence[tuple[datetime, datetime]]]
) -> Diagnosis | None:
    """Return what one table shows; None if it shows no writer, or if another check reports why it cannot be read."""
    of_asset = windows.get(look.asset, ())
    parameters: dict[str, Any] = {
        "began": [began for began, _ in of_asset],
        "ended": [ended for _, ended in of_asset],
        "row_limit": ROW_LIMIT,
        "notes": IDENTITY_NOTES,
    }
    name = f"other writers of {look.table}"
    try:
        rows = connection.execute(sql_files.load("wxyc_assets.cli", look.statement), parameters).fetchall()
    except psycopg.errors.QueryCanceled:
        says = f"could not be looked for: reading takes more than {TIMEOUT_MS / 1000:g} s"
        return Diagnosis(name, ok=True, says=says)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        return None
    shown = {sign: (count, age_s) for sign, count, age_s in rows}
    signs = [(sign, *shown[key]) for key, sign in look.signs.items() if key in shown]
    if not signs:
        return None
    jobs = [sign.job for sign, _, _ in signs if sign.job]
    return Diagnosis(
        name,
        ok=True,
        says="in the last day " + "; ".join(_in_words(*one) for one in signs),
        advice=f"is the cron job {jobs[0]} still on? {JOB_ADVICE}" if jobs else "",
    )


def _in_words(sign: Sign, count: int, age_s: float) -> str:
    return f"{count} {sign.rows}, the last {format_age(age_s)}: {sign.writer}"


def _run_windows(connection: psycopg.Connection) -> dict[str, list[tuple[datetime, datetime]]]:
    """Return from when to when each run of each asset wrote within the last day."""
    windows: dict[str, list[tuple[datetime, datetime]]] = {}
    for asset, began, ended in connection.execute(sql_files.load("wxyc_assets.cli", "select_run_windows")):
        windows.setdefault(asset, []).append((began, ended))
    return windows
