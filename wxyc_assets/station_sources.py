"""The station's own tables as external assets: we read them, and watch how many rows they have and when they changed."""

import dagster as dg

from resources import sql_files
from resources.postgres import Postgres


@dg.observable_source_asset(
    name="library",
    group_name="station",
    description=(
        "The station's catalogue: a row is one album in the library. The station's backend owns it; an observation counts its "
        "rows and takes the catalogue's watermark as the data version."
    ),
    metadata={"dagster/table_name": "wxyc_schema.library"},
    tags={"dagster/kind/postgres": ""},
)
def library(postgres: dg.ResourceParam[Postgres]) -> dg.ObserveResult:
    """Count the library and read its watermark."""
    with postgres.connect() as connection:
        ((rows, watermark),) = connection.execute(sql_files.load("wxyc_assets", "observe_library")).fetchall()
    return dg.ObserveResult(
        data_version=dg.DataVersion(watermark.isoformat()),
        metadata={"dagster/row_count": rows, "last_modified_at": dg.MetadataValue.timestamp(watermark)},
    )


@dg.observable_source_asset(
    name="flowsheet",
    group_name="station",
    description=(
        "What was played: a row is one entry of a show, most of them tracks. The station's backend owns it; an observation "
        "counts the tracks that wait for their album's metadata and takes the flowsheet's watermark as the data version."
    ),
    metadata={"dagster/table_name": "wxyc_schema.flowsheet"},
    tags={"dagster/kind/postgres": ""},
)
def flowsheet(postgres: dg.ResourceParam[Postgres]) -> dg.ObserveResult:
    """Count the flowsheet and read its watermark."""
    with postgres.connect() as connection:
        ((rows, pending, watermark),) = connection.execute(
            sql_files.load("wxyc_assets", "observe_flowsheet")
        ).fetchall()
    return dg.ObserveResult(
        data_version=dg.DataVersion(watermark.isoformat()),
        metadata={
            "dagster/row_count": rows,
            "pending_tracks": pending,
            "last_modified_at": dg.MetadataValue.timestamp(watermark),
        },
    )


@dg.observable_source_asset(
    name="rotation",
    group_name="station",
    description=(
        "What DJs are asked to play: a row is one album in rotation, from the day that it was added to the day that it is "
        "killed. The station's backend owns it; an observation counts the rows, and those that are active, and takes a digest "
        "of their kill dates and Discogs releases as the data version."
    ),
    metadata={"dagster/table_name": "wxyc_schema.rotation"},
    tags={"dagster/kind/postgres": ""},
)
def rotation(postgres: dg.ResourceParam[Postgres]) -> dg.ObserveResult:
    """Count the rotation and digest it; it has no watermark of its own."""
    with postgres.connect() as connection:
        ((rows, active, digest),) = connection.execute(sql_files.load("wxyc_assets", "observe_rotation")).fetchall()
    return dg.ObserveResult(
        data_version=dg.DataVersion(digest), metadata={"dagster/row_count": rows, "active_rows": active}
    )


@dg.observable_source_asset(
    name="billing_event",
    group_name="billing",
    description=(
        "What customers used: a row is one request to a model, with its tokens. The gateway writes it, also hours late; an "
        "observation counts the rows and takes their number and the moment that the newest came as the data version."
    ),
    metadata={"dagster/table_name": "public.billing_event"},
    tags={"dagster/kind/postgres": ""},
)
def billing_event(postgres: dg.ResourceParam[Postgres]) -> dg.ObserveResult:
    """Count the events and look when the newest came; the table has no watermark."""
    with postgres.connect() as connection:
        ((rows, newest),) = connection.execute(sql_files.load("wxyc_assets", "observe_billing_event")).fetchall()
    return dg.ObserveResult(
        data_version=dg.DataVersion(f"{rows} {newest.isoformat() if newest else 'none'}"),
        metadata={"dagster/row_count": rows}
        | ({"newest_created_at": dg.MetadataValue.timestamp(newest)} if newest else {}),
    )
