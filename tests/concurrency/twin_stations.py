"""A station to be worked on from all sides, and its twin: what is in their tables, whoever wrote it when."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from resources.postgres import Postgres
from wxyc_assets.sandbox.generator import generate_billing_events, generate_libraries, generate_plays

LIBRARIES = 960
PLAYS = 60
EVENTS = 12_000
MODELS = {"qwen2.5-7b-instruct": None, "bge-m3": None}

TABLES: Mapping[str, str] = {
    "library_identity": "SELECT to_jsonb(t) - 'last_verified_at' FROM library_identity t",
    "library_identity_source": "SELECT to_jsonb(t) - 'last_verified_at' - 'id' FROM library_identity_source t",
    "library": "SELECT jsonb_build_array(id, unresolved_attempted_at IS NULL) FROM library",
    "album_metadata": "SELECT to_jsonb(t) - 'updated_at' FROM album_metadata t",
    "flowsheet": "SELECT jsonb_build_array(id, metadata_status) FROM flowsheet",
    "rated_usage": "SELECT to_jsonb(t) - 'rated_at' FROM rated_usage t",
}
"""What must not depend on who wrote it when."""


def closed_hour() -> datetime:
    """The hour that goes on now: nothing of it is rated."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def furnish(station: Postgres, hours: int) -> None:
    """Put albums, plays and the events of so many closed hours into a station."""
    with station.connect() as connection:
        generate_libraries(connection, LIBRARIES, first_id=1)
        generate_plays(connection, PLAYS)
        first = closed_hour() - timedelta(hours=hours)
        generate_billing_events(connection, EVENTS, first_instant=first, hours=hours, accounts=40, models=MODELS)


def contents(station: Postgres) -> dict[str, list[str]]:
    """Everything that must be equal, as text, in order."""
    with station.connect() as connection:
        return {
            name: sorted(str(row[0]) for row in connection.execute(query))  # type: ignore[arg-type]
            for name, query in TABLES.items()
        }


def numbers(station: Postgres, query: str) -> Any:
    """The one row of a query."""
    with station.connect() as connection:
        (row,) = connection.execute(query).fetchall()  # type: ignore[arg-type]
        return row[0] if len(row) == 1 else row
