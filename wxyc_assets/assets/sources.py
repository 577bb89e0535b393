"""The station's tables as external assets: an observation counts their rows and records when they changed."""

import dagster as dg

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets.database.billing import NO_BILLING, has_billing
from wxyc_assets.database.table_columns import table_metadata
from wxyc_assets.orchestration.external_asset import external_asset

BACKEND = "team:station-backend"
GATEWAY = "team:gateway"

SOME_COLUMNS = "Its columns here are those that assets read or write."


@external_asset(
    "library",
    group="station",
    owner=BACKEND,
    kind="postgres",
    description=(
        "The station's catalogue: a row is one album in the library. The station's backend owns it; an observation "
        f"counts its rows and takes the catalogue's watermark as the data version. {SOME_COLUMNS}"
    ),
    metadata=table_metadata("wxyc_schema", "library"),
)
def library(postgres: dg.ResourceParam[Postgres]) -> dg.ObserveResult:
    """Count the library and read its watermark."""
    with postgres.connect() as connection:
        ((rows, watermark),) = connection.execute(sql_files.load("wxyc_assets.assets", "observe_library")).fetchall()
    return dg.ObserveResult(
        data_version=dg.DataVersion(watermark.isoformat()),
        metadata={"dagster/row_count": rows, "last_modified_at": dg.MetadataValue.timestamp(watermark)},
    )


@external_asset(
    "flowsheet",
    group="station",
    owner=BACKEND,
    kind="postgres",
    description=(
        "What DJs played: a row is one entry of a show, most of them tracks. The station's backend owns it; an "
        "observation counts the entries, and the tracks whose album has no metadata yet, and takes the "
        f"flowsheet's watermark as the data version. {SOME_COLUMNS}"
    ),
    metadata=table_metadata("wxyc_schema", "flowsheet"),
)
def flowsheet(postgres: dg.ResourceParam[Postgres]) -> dg.ObserveResult:
    """Count the flowsheet and read its watermark."""
    with postgres.connect() as connection:
        ((rows, pending, watermark),) = connection.execute(
            sql_files.load("wxyc_assets.assets", "observe_flowsheet")
        ).fetchall()
    return dg.ObserveResult(
        data_version=dg.DataVersion(watermark.isoformat()),
        metadata={
            "dagster/row_count": rows,
            "pending_tracks": pending,
            "last_modified_at": dg.MetadataValue.timestamp(watermark),
        },
    )


@external_asset(
    "rotation",
    group="station",
    owner=BACKEND,
    kind="postgres",
    description=(
        "What DJs are asked to play: a row is one album in rotation, from its add date to its kill date."
        "  The station's backend owns it; an observation counts the rows, and those that are active, and "
        f"takes a digest of their kill dates and Discogs releases as the data version. {SOME_COLUMNS}"
    ),
    metadata=table_metadata("wxyc_schema", "rotation"),
)
def rotation(postgres: dg.ResourceParam[Postgres]) -> dg.ObserveResult:
    """Count the rotation and take a digest of it; the table has no watermark."""
    with postgres.connect() as connection:
        ((rows, active, digest),) = connection.execute(
            sql_files.load("wxyc_assets.assets", "observe_rotation")
        ).fetchall()
    return dg.ObserveResult(
        data_version=dg.DataVersion(digest), metadata={"dagster/row_count": rows, "active_rows": active}
    )


@external_asset(
    "billing_event",
    group="billing",
    owner=GATEWAY,
    kind="postgres",
    description=(
        "What customers used: a row is one request to a model, with its tokens. The gateway writes the rows, "
        "some of them hours late; an observation takes the number of rows and the time at which the newest was stored "
        "as the data version."
    ),
    metadata=table_metadata("public", "billing_event"),
)
def billing_event(billing_postgres: dg.ResourceParam[Postgres]) -> dg.ObserveResult:
    """Count the events and read when the newest was stored; the table has no watermark. A station may have no such table."""
    with billing_postgres.connect() as connection:
        if not has_billing(connection):
            return dg.ObserveResult(metadata={"billing": NO_BILLING})
        ((rows, newest),) = connection.execute(sql_files.load("wxyc_assets.assets", "observe_billing_event")).fetchall()
    return dg.ObserveResult(
        data_version=dg.DataVersion(f"{rows} {newest.isoformat() if newest else 'none'}"),
        metadata={"dagster/row_count": rows}
        | ({"newest_created_at": dg.MetadataValue.timestamp(newest)} if newest else {}),
    )
