"""Checks the databases: the tables of the station and of billing, the privileges, our own schema, Dagster's storage."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Literal, TypeAlias

import psycopg

from resources import sql_files
from resources.embedded_postgres import EmbeddedPostgresError
from resources.own_sessions import require_own_sessions
from resources.postgres import Postgres, connect_error_advice, keepalives
from wxyc_assets.assets.registry import ASSETS
from wxyc_assets.cli.doctor_checks.diagnosis import Context, Diagnosis
from wxyc_assets.cli.doctor_checks.sandbox import has_sandbox_station
from wxyc_assets.cli.doctor_checks.server import check_server
from wxyc_assets.database import connections
from wxyc_assets.database.revision import SCHEMA, MigrationError, require_migrated
from wxyc_assets.settings import DatabaseSettings, SettingsError

Check: TypeAlias = Callable[[psycopg.Connection, str], Iterator[Diagnosis]]

Holds: TypeAlias = Literal["both", "station", "billing"]
"""Whose tables a database holds."""

NEEDED = "the checks of tables, privileges and our schema need the database"

OLDEST_POSTGRES = 14
"""The oldest major version that the tests pass on: `make test-postgres VERSION=14`."""

NO_STATION = Diagnosis(
    "database",
    ok=False,
    says="the embedded PostgreSQL is not running, and has no station yet",
    advice="`wxyc up` or `wxyc demo` makes one, or set DATABASE_URL",
)

STOPPED = Diagnosis(
    "database",
    ok=True,
    says="the embedded PostgreSQL of this sandbox station is stopped, and starts with the next command that needs it",
    advice="`wxyc status` starts it; then this command checks tables, our schema and Dagster's storage as well",
)

HEARTBEAT_WINDOW_S = 45
"""A daemon sends a heartbeat of each kind every 30 seconds; after a restart the new one replaces all within seconds."""


def check_database(context: Context) -> Iterator[Diagnosis]:
    """Check the station's database on one connection: the server, the tables and privileges, our own schema."""
    settings = context.settings(DatabaseSettings)
    if not settings.database_url and not connections.embedded(settings).running():
        yield STOPPED if has_sandbox_station(context) else NO_STATION
        return
    try:
        station, *billing = connections.distinct(
            connections.postgres_from(settings), connections.billing_from(settings)
        )
    except EmbeddedPostgresError as error:
        yield Diagnosis("database", ok=False, says=str(error), advice=NEEDED)
        return
    yield from _check("database", station, settings, holds="station" if billing else "both")
    for postgres in billing:
        yield from _check("billing database", postgres, settings, holds="billing")


def _check(name: str, postgres: Postgres, settings: DatabaseSettings, *, holds: Holds) -> Iterator[Diagnosis]:
    try:
        with postgres.connect() as connection:
            yield diagnose_server(connection.info.server_version, postgres.location(), name)
            yield from check_server(connection, name)
            yield from check_schemas(connection, settings, holds=holds)
    except psycopg.OperationalError as error:
        yield Diagnosis(name, ok=False, says=connect_error_advice(error, postgres), advice=NEEDED)


def diagnose_server(version: int, location: str, name: str = "database") -> Diagnosis:
    """Say which PostgreSQL answers (``version`` as libpq gives it: 140022), and whether it is too old."""
    major = version // 10_000
    return Diagnosis(
        name,
        ok=major >= OLDEST_POSTGRES,
        says=f"{location} answers, PostgreSQL {major}",
        advice="" if major >= OLDEST_POSTGRES else f"PostgreSQL {OLDEST_POSTGRES} or newer is needed",
    )


def check_schemas(
    connection: psycopg.Connection, settings: DatabaseSettings, *, holds: Holds = "both"
) -> Iterator[Diagnosis]:
    """Check the schemas that runs use in a database; one that the role may not look into is a diagnosis as well."""
    checks: dict[str, tuple[str, Check]] = {
        "station tables": (settings.station_schema, check_station_tables),
        "billing tables": (settings.billing_schema, partial(check_billing_tables, required=holds == "billing")),
        "our schema": (SCHEMA, check_our_schema),
    }
    if holds != "both":
        del checks["billing tables" if holds == "station" else "station tables"]
    for name, (schema, check) in checks.items():
        try:
            yield from check(connection, schema)
        except psycopg.errors.InsufficientPrivilege as error:
            advice = f"let its owner run: GRANT USAGE ON SCHEMA {schema} TO {connection.info.user}"
            yield Diagnosis(name, ok=False, says=str(error).splitlines()[0], advice=advice)


def check_station_tables(connection: psycopg.Connection, schema: str) -> Iterator[Diagnosis]:
    """Check the station's tables that assets read and write, and the privileges on them, table by table."""
    needs = [(table, privilege) for info in ASSETS for table, all_of in info.tables.items() for privilege in all_of]
    relations, privileges = zip(*dict.fromkeys(needs), strict=True)
    parameters = {"station_schema": schema, "relations": list(relations), "privileges": list(privileges)}
    rows = connection.execute(sql_files.load("wxyc_assets.cli", "select_station_tables"), parameters).fetchall()
    missing = [table for table, present, _ in rows if not present]
    lacking = {table: lacks for table, present, lacks in rows if present and lacks}
    if missing:
        yield Diagnosis(
            "station tables",
            ok=False,
            says=f"missing in schema {schema}: {', '.join(missing)}",
            advice="is WXYC_SCHEMA_NAME the station's schema? `wxyc sandbox create` makes a sample station",
        )
    for table, lacks in lacking.items():
        yield _missing_privileges(connection, schema, table, lacks)
    if not missing and not lacking:
        yield Diagnosis("station tables", ok=True, says=f"all there in schema {schema}, with privileges")


def check_billing_tables(connection: psycopg.Connection, schema: str, *, required: bool = False) -> Iterator[Diagnosis]:
    """Check the tables that usage is rated in, and the privileges on them; warn of a missing index that rating needs.

    ``required``: a database of their own is configured, so that it is wrong if they are not there.
    """
    rows = connection.execute(
        sql_files.load("wxyc_assets.cli", "select_billing_tables"), {"billing_schema": schema}
    ).fetchall()
    missing = [table for table, present, *_ in rows if not present]
    if len(missing) == len(rows) and not required:
        says = f"none in schema {schema} ({', '.join(missing)}): this station has no billing, and rated_usage refuses to run"
        advice = "if it has, set BILLING_SCHEMA_NAME to the schema of these tables"
        yield Diagnosis("billing tables", ok=True, says=says, advice=advice)
        return
    if missing:
        yield Diagnosis(
            "billing tables",
            ok=False,
            says=f"missing in schema {schema}: {', '.join(missing)}",
            advice="is BILLING_SCHEMA_NAME the schema of billing_event and rated_usage? "
            "BILLING_DATABASE_URL names their database, if it is another one than the station's",
        )
        return
    lacking = {table: lacks for table, _, lacks, *_ in rows if lacks}
    for table, lacks in lacking.items():
        yield _missing_privileges(connection, schema, table, lacks)
    if not lacking:
        yield Diagnosis("billing tables", ok=True, says=f"all there in schema {schema}, with privileges")
    for table, _, _, index_key, _ in rows:
        if index_key:
            yield _missing_index(f"{schema}.{table}", index_key)
    yield from _organisations({table: has_org for table, *_, has_org in rows})


def _organisations(has_org: Mapping[str, bool]) -> Iterator[Diagnosis]:
    """Say whether billed rows name an organisation; a station without org_id needs no line."""
    if all(has_org.values()):
        yield Diagnosis("organisations", ok=True, says="billed rows carry the org_id of their events")
    elif any(has_org.values()):
        ((without, _),) = (item for item in has_org.items() if not item[1])
        says = f"WARNING: {without} has no org_id and the other table has one, so billed rows carry none"
        yield Diagnosis("organisations", ok=True, says=says, advice=f"let the owner add org_id to {without}")


def _missing_privileges(
    connection: psycopg.Connection, schema: str, relation: str, privileges: Sequence[str]
) -> Diagnosis:
    kind = "SEQUENCE " if relation.endswith("_seq") else ""
    user, lacks = connection.info.user, ", ".join(privileges)
    advice = f"let the owner run: GRANT {lacks} ON {kind}{schema}.{relation} TO {user}"
    return Diagnosis(f"privileges on {relation}", ok=False, says=f"{user} lacks {lacks}", advice=advice)


def _missing_index(table: str, index_key: str) -> Diagnosis:
    key = index_key if index_key.isidentifier() else f"({index_key})"
    return Diagnosis(
        f"index of {table}",
        ok=True,
        says=f"WARNING: none leads with {index_key}, so every hour that is rated reads the whole table",
        advice=f"let the owner run: CREATE INDEX CONCURRENTLY ON {table} ({key})",
    )


def check_our_schema(connection: psycopg.Connection, schema: str) -> Iterator[Diagnosis]:
    """Check that our own schema is up to date, and the privileges on its tables."""
    try:
        require_migrated(connection)
    except MigrationError as error:
        yield Diagnosis("our schema", ok=False, says=str(error), advice="run `wxyc migrate`")
        return
    rows = connection.execute(sql_files.load("wxyc_assets.cli", "select_missing_own_privileges")).fetchall()
    if rows:
        lacks = ", ".join(f"{privilege} on {schema}.{table}" for table, privilege in rows)
        yield Diagnosis("our schema", ok=False, says=f"{connection.info.user} lacks {lacks}", advice="grant it")
    else:
        yield Diagnosis("our schema", ok=True, says=f"{schema} is up to date")


def check_dagster_storage(context: Context) -> Iterator[Diagnosis]:
    """Check that the database of Dagster's storage answers, and that its sessions have a backend of their own."""
    settings = context.settings(DatabaseSettings)
    if not settings.database_url and not settings.dagster_database_url and not connections.embedded(settings).running():
        return  # check_database reports that the embedded server is not running
    try:
        dsn = connections.dagster_dsn(settings)
        require_own_sessions(dsn, connect_timeout=connections.CONNECT_TIMEOUT_S, **keepalives(dsn))
        daemons = _count_daemons(dsn)
        yield Diagnosis("Dagster's storage", ok=True, says="answers")
        if daemons > 1:
            yield Diagnosis(
                "Dagster's daemon",
                ok=False,
                says=f"{daemons} daemons work on this storage, so that schedules and sensors run more than once",
                advice="stop all but one; right after a restart of the daemon, look again in a minute",
            )
    except (psycopg.Error, SettingsError, EmbeddedPostgresError) as error:
        advice = "correct DAGSTER_DATABASE_URL, or start that server"
        yield Diagnosis("Dagster's storage", ok=False, says=str(error).strip(), advice=advice)


def _count_daemons(dsn: str) -> int:
    with psycopg.connect(dsn, connect_timeout=connections.CONNECT_TIMEOUT_S, **keepalives(dsn)) as connection:
        ((has_table,),) = connection.execute(sql_files.load("wxyc_assets.cli", "select_daemon_table")).fetchall()
        if not has_table:
            return 0
        parameters = {"within_s": HEARTBEAT_WINDOW_S}
        ((daemons,),) = connection.execute(sql_files.load("wxyc_assets.cli", "select_daemons"), parameters).fetchall()
        return int(daemons)
