"""What ``wxyc doctor`` looks at. Each look yields findings and never raises: one illness must not hide the next."""

from collections.abc import Iterator, Mapping

import psycopg

from resources import sql_files
from resources.deploy_gate.gate import DeployGate
from resources.deploy_gate.github import GitHub
from resources.embedded_postgres import EmbeddedPostgresError
from resources.lml.client import LmlClient
from resources.lml.errors import LmlAuthError, LmlError, LmlRequestError
from resources.postgres import Postgres, connect_error_advice
from resources.price_file import PriceFileError
from wxyc_assets import databases, wiring
from wxyc_assets.cli.billing_examination import billing
from wxyc_assets.cli.examined import Finding
from wxyc_assets.price_book.load import load_price_book
from wxyc_assets.revision import MigrationError, require_migrated
from wxyc_assets.settings import (
    ALL_GROUPS,
    DatabaseSettings,
    LmlSettings,
    RatingSettings,
    RotationSettings,
    SettingsError,
    load,
    load_all,
)

MINIMUM_POSTGRES = 150000


def examine(environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Look at everything and return what was found, in the order in which to mend it."""
    return [
        *_settings(environ),
        *_database(environ),
        *_dagster_storage(environ),
        *_lml(environ),
        *_prices(environ),
        *_sentry(environ),
    ]


def _settings(environ: Mapping[str, str] | None) -> Iterator[Finding]:
    try:
        load_all(ALL_GROUPS, environ)
    except SettingsError as error:
        for problem in error.problems:
            name, _, says = problem.partition(": ")
            yield Finding(
                f"setting {name}", ok=False, says=says, advice=f"correct {name}; the README lists all settings"
            )
    else:
        yield Finding("settings", ok=True, says="all can be used")
        if warning := load(LmlSettings, environ).budget_warning:
            yield Finding("budget", ok=True, says=warning, advice="set 50 less what the live callers need")


def _database(environ: Mapping[str, str] | None) -> Iterator[Finding]:
    try:
        settings = load(DatabaseSettings, environ)
    except SettingsError:
        return  # said already
    if not settings.database_url and not databases.embedded(settings).running():
        yield Finding(
            "database",
            ok=False,
            says="the embedded PostgreSQL is not running",
            advice="`wxyc up` or `wxyc demo` starts it, or set DATABASE_URL",
        )
        return
    try:
        postgres = databases.open_postgres(environ)
        with postgres.connect() as connection:
            yield from _server(connection, postgres)
            yield from _tables(connection, settings)
            yield from billing(connection, settings.billing_schema)
            yield _our_schema(connection)
    except (psycopg.OperationalError, EmbeddedPostgresError) as error:
        yield _unreachable(error, Postgres(settings.database_url.get_secret_value() if settings.database_url else ""))


def _unreachable(error: Exception, postgres: Postgres) -> Finding:
    says = connect_error_advice(error, postgres) if isinstance(error, psycopg.OperationalError) else str(error)
    return Finding("database", ok=False, says=says, advice="nothing behind the database could be looked at")


def _server(connection: psycopg.Connection, postgres: Postgres) -> Iterator[Finding]:
    version = connection.info.server_version
    yield Finding(
        "database",
        ok=version >= MINIMUM_POSTGRES,
        says=f"{postgres.where()} answers, PostgreSQL {version // 10000}",
        advice="" if version >= MINIMUM_POSTGRES else "PostgreSQL 15 or newer is needed",
    )


def _tables(connection: psycopg.Connection, settings: DatabaseSettings) -> Iterator[Finding]:
    """What the assets read and write of the station, table by table."""
    rows = connection.execute(
        sql_files.load("wxyc_assets.cli", "examine_privileges"), {"station_schema": settings.station_schema}
    ).fetchall()
    missing = [table for table, present, _ in rows if not present]
    lacking = {table: lacks for table, present, lacks in rows if present and lacks}
    if missing:
        yield Finding(
            "station tables",
            ok=False,
            says=f"missing in schema {settings.station_schema}: {', '.join(missing)}",
            advice="is WXYC_SCHEMA_NAME the station's schema? `wxyc sandbox create` makes a sample station",
        )
    for table, lacks in lacking.items():
        yield Finding(
            f"privileges on {table}",
            ok=False,
            says=f"{connection.info.user} lacks {', '.join(lacks)}",
            advice=f"let the owner run: GRANT {', '.join(lacks)} ON {_kind(table)}{settings.station_schema}.{table} "
            f"TO {connection.info.user}",
        )
    if not missing and not lacking:
        yield Finding("station tables", ok=True, says=f"all there in schema {settings.station_schema}, with privileges")


def _kind(relation: str) -> str:
    return "SEQUENCE " if relation.endswith("_seq") else ""


def _our_schema(connection: psycopg.Connection) -> Finding:
    try:
        require_migrated(connection)
    except MigrationError as error:
        return Finding("our schema", ok=False, says=str(error), advice="run `wxyc migrate`")
    except psycopg.errors.InsufficientPrivilege as error:
        says = str(error).splitlines()[0]
        advice = f"let its owner run: GRANT USAGE ON SCHEMA wxyc_assets TO {connection.info.user}"
        return Finding("our schema", ok=False, says=says, advice=advice)
    lacks = [
        f"{privilege} on wxyc_assets.{table}"
        for table, privilege in connection.execute(sql_files.load("wxyc_assets.cli", "examine_our_privileges"))
    ]
    if lacks:
        return Finding(
            "our schema", ok=False, says=f"{connection.info.user} lacks {', '.join(lacks)}", advice="grant it"
        )
    return Finding("our schema", ok=True, says="wxyc_assets is up to date")


def _dagster_storage(environ: Mapping[str, str] | None) -> Iterator[Finding]:
    try:
        settings = load(DatabaseSettings, environ)
    except SettingsError:
        return
    if not settings.database_url and not settings.dagster_database_url and not databases.embedded(settings).running():
        return  # said already
    try:
        with psycopg.connect(databases.dagster_dsn(settings), connect_timeout=10):
            yield Finding("Dagster's storage", ok=True, says="answers")
    except (psycopg.Error, SettingsError, EmbeddedPostgresError) as error:
        yield Finding(
            "Dagster's storage",
            ok=False,
            says=str(error).strip(),
            advice="correct DAGSTER_DATABASE_URL, or start that server",
        )


def _lml(environ: Mapping[str, str] | None) -> Iterator[Finding]:
    try:
        config = wiring.lml_config(environ)
    except SettingsError as error:
        if any(problem.startswith("LIBRARY_METADATA_URL: is not set") for problem in error.problems):
            yield Finding(
                "LML", ok=False, says="is not configured", advice=error.problems[0].partition("is not set. ")[2]
            )
        return
    with LmlClient(config) as lml:
        try:
            health = lml.health()
        except LmlError as error:
            yield Finding(
                "LML", ok=False, says=str(error), advice="is LIBRARY_METADATA_URL right, and LML running there?"
            )
            return
        yield Finding("LML", ok=health.status != "unhealthy", says=f"answers, and calls itself {health.status}")
        yield _lml_key(lml)
        yield _deploy_gate(lml, environ)


def _lml_key(lml: LmlClient) -> Finding:
    try:
        lml.probe()
    except LmlAuthError as error:
        return Finding("LML_API_KEY", ok=False, says=str(error), advice="set the key that LML was deployed with")
    except LmlRequestError:
        pass  # it refused the empty request, having accepted the key
    except LmlError as error:
        return Finding("LML_API_KEY", ok=False, says=str(error), advice="try again when LML is well")
    return Finding("LML_API_KEY", ok=True, says="is accepted")


def _deploy_gate(lml: LmlClient, environ: Mapping[str, str] | None) -> Finding:
    settings = load(RotationSettings, environ)
    github = GitHub(settings.github_api_url, settings.github_token)
    gate = DeployGate(lml, github, local_dev=load(LmlSettings, environ).local_dev)
    ruling = gate.ask()
    advice = "" if ruling.is_open else "only rotation_cache waits for it: the runbook says what opens it"
    return Finding("deploy gate", ok=ruling.is_open, says=ruling.reason, advice=advice)


def _prices(environ: Mapping[str, str] | None) -> Iterator[Finding]:
    try:
        book = load_price_book(load(RatingSettings, environ).price_file)
    except SettingsError:
        return  # said already
    except PriceFileError as error:
        advice = "set PRICE_FILE to the file that finance keeps; `wxyc prices check FILE` lists every problem of one"
        yield Finding("price file", ok=False, says=str(error), advice=advice)
    else:
        yield Finding("price file", ok=True, says=f"{len(book.priced)} models have a price, digest {book.digest[:12]}")


def _sentry(environ: Mapping[str, str] | None) -> Iterator[Finding]:
    try:
        sentry = wiring.open_sentry_from(environ)
    except SettingsError:
        return
    except ValueError as error:
        yield Finding("Sentry", ok=False, says=str(error), advice="copy the DSN anew from Sentry's project settings")
        return
    enabled = sentry.enabled
    sentry.close(timeout_s=0)
    yield Finding("Sentry", ok=True, says="is configured" if enabled else "is not configured: nothing is sent")
