"""Two equal stations: how to fill them, and the content of their tables that must not depend on the order of the runs."""

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
"""The content that must not depend on which run wrote it, or when."""


def current_hour() -> datetime:
    """The current hour, which is not over yet: no run rates it."""
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def fill(station: Postgres, hours: int) -> None:
    """Add albums, plays, and the events of the last ``hours`` closed hours to a station."""
    with station.connect() as connection:
        generate_libraries(connection, LIBRARIES, first_id=1)
        generate_plays(connection, PLAYS)
        first = current_hour() - timedelta(hours=hours)
        generate_billing_events(connection, EVENTS, first_instant=first, hours=hours, accounts=40, models=MODELS)


def contents(station: Postgres) -> dict[str, list[str]]:
    """The rows of all tables as sorted text."""
    with station.connect() as connection:
        return {
            name: sorted(str(row[0]) for row in connection.execute(query.encode())) for name, query in TABLES.items()
        }


def value(station: Postgres, query: str) -> Any:
    """The only value of a query's only row."""
    with station.connect() as connection:
        ((found,),) = connection.execute(query.encode()).fetchall()
        return found
