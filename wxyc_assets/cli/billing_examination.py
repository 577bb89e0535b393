"""What ``wxyc doctor`` looks at of the tables that usage is rated in."""

from collections.abc import Iterator

import psycopg

from resources import sql_files
from wxyc_assets.cli.examined import Finding


def billing(connection: psycopg.Connection, schema: str) -> Iterator[Finding]:
    """Look for the tables, the privileges on them, and the indexes that a rating is served by; those are only warned of."""
    rows = connection.execute(
        sql_files.load("wxyc_assets.cli", "examine_billing"), {"billing_schema": schema}
    ).fetchall()
    if missing := [table for table, present, _, _ in rows if not present]:
        yield Finding(
            "billing tables",
            ok=False,
            says=f"missing in schema {schema}: {', '.join(missing)}",
            advice="is BILLING_SCHEMA_NAME the schema of billing_event and rated_usage?",
        )
        return
    lacking = {table: lacks for table, _, lacks, _ in rows if lacks}
    for table, lacks in lacking.items():
        yield Finding(
            f"privileges on {table}",
            ok=False,
            says=f"{connection.info.user} lacks {', '.join(lacks)}",
            advice=f"let the owner run: GRANT {', '.join(lacks)} ON {schema}.{table} TO {connection.info.user}",
        )
    if not lacking:
        yield Finding("billing tables", ok=True, says=f"all there in schema {schema}, with privileges")
    for table, _, _, index_key in rows:
        if index_key:
            yield _without_index(f"{schema}.{table}", index_key)


def _without_index(table: str, index_key: str) -> Finding:
    key = index_key if index_key.isidentifier() else f"({index_key})"
    return Finding(
        f"index of {table}",
        ok=True,
        says=f"WARNING: none leads with {index_key}, so every hour that is rated reads the whole table",
        advice=f"let the owner run: CREATE INDEX CONCURRENTLY ON {table} ({key})",
    )
