"""The optional columns of the station's billing tables, and the rating statement for the tables that have them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Self

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from resources import sql_files

PACKAGE = "wxyc_assets.assets.rated_usage"


@dataclass(frozen=True)
class BillingTables:
    """What the billing tables of one station have beside the columns that every station has. Types are PostgreSQL's names.

    Attributes:
        id_type: the type of ``rated_usage.id``.
        id_default: the expression that gives a new row its id; None: the id follows from customer, deployment, model and hour.
        usage_org_type: the type of ``rated_usage.org_id``; None: there is no such column.
        events_have_org: whether ``billing_event.org_id`` exists.
    """

    id_type: str = "character varying"
    id_default: str | None = None
    usage_org_type: str | None = None
    events_have_org: bool = False

    @classmethod
    def read(cls, connection: psycopg.Connection) -> Self:
        """Return those of the tables on the search_path."""
        with connection.cursor(row_factory=class_row(cls)) as cursor:
            return cursor.execute(sql_files.load(PACKAGE, "select_optional_columns")).fetchall()[0]

    @property
    def carry_org(self) -> bool:
        """Whether a row names the organisation of its events: both tables have the column."""
        return self.events_have_org and self.usage_org_type is not None


@cache
def digest_statement(tables: BillingTables) -> sql.Composed:
    """Return ``digest_hour`` of the seals for these tables."""
    parts = {
        "row_org": ", u.org_id" if tables.usage_org_type else "",
        "event_org": ", b.org_id" if tables.events_have_org else "",
    }
    return _filled_in(f"{PACKAGE}.seals", "digest_hour", parts)


@cache
def rating_statement(tables: BillingTables) -> sql.Composed:
    """Return ``rate_hour`` for these tables."""
    has_org = tables.usage_org_type is not None
    parts = {
        "event_org": "e.org_id::text" if tables.carry_org else "NULL::text",
        "stored_org": "s.org_id::text" if has_org else "NULL::text",
        "id_type": tables.id_type,
        "id_default": f"({tables.id_default})::{tables.id_type}" if tables.id_default else "NULL",
        "org_column": ", org_id" if has_org else "",
        "org_value": f", (d.after).org_id::{tables.usage_org_type}" if has_org else "",
        "org_update": ", org_id = EXCLUDED.org_id" if has_org else "",
    }
    return _filled_in(PACKAGE, "rate_hour", parts)


def _filled_in(package: str, name: str, parts: Mapping[str, str]) -> sql.Composed:
    statement = sql_files.load(package, name).decode()
    # All of it is SQL of ours, or what PostgreSQL says of its own catalogue.
    return sql.SQL(statement).format(**{part: sql.SQL(text.replace("%", "%%")) for part, text in parts.items()})
