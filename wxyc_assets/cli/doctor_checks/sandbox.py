"""Says whether the settings name a sandbox station, which has an LML and prices of its own under `wxyc demo` and `wxyc up`."""

from collections.abc import Callable

import psycopg

from resources.embedded_postgres import EmbeddedPostgresError
from resources.postgres import Postgres
from wxyc_assets.cli.doctor_checks.diagnosis import Context, UnusableSettingsError
from wxyc_assets.cli.services import one_up
from wxyc_assets.database import connections
from wxyc_assets.database.billing import has_billing
from wxyc_assets.sandbox.station import is_sandbox
from wxyc_assets.settings import DatabaseSettings


def has_sandbox_station(context: Context) -> bool:
    """Whether the station exists and is a sandbox. Starts no server: one that was made and is stopped is a sandbox."""
    return _is_sandbox(context, connections.postgres_from)


def has_sandbox_billing(context: Context) -> bool:
    """Whether the database of the billing tables is a sandbox, which is rated with the sandbox's prices."""
    return _is_sandbox(context, connections.billing_from)


def has_no_billing(context: Context) -> bool:
    """Whether a configured station can be read and has no billing tables. Starts no server."""
    try:
        settings = context.settings(DatabaseSettings)
        if not settings.database_url or settings.billing_database_url:
            return False  # a database of their own is configured for the billing tables: there is billing
        with connections.billing_from(settings).connect() as connection:
            return not has_billing(connection)
    except (UnusableSettingsError, psycopg.Error, EmbeddedPostgresError):
        return False  # check_settings or check_database reports it


def _is_sandbox(context: Context, opens: Callable[[DatabaseSettings], Postgres]) -> bool:
    try:
        settings = context.settings(DatabaseSettings)
        if not settings.database_url:
            server = connections.embedded(settings)
            if not server.running():
                return server.layout.has_data_entry
        with opens(settings).connect() as connection:
            return is_sandbox(connection)
    except (UnusableSettingsError, psycopg.Error, EmbeddedPostgresError):
        return False  # check_settings or check_database reports it


def up_advice(context: Context, otherwise: str) -> str:
    """Return where the settings of a sandbox LML are: on the screen of the ``wxyc up`` that runs, or how to start one."""
    up = one_up.find(context.settings(DatabaseSettings).home.absolute())
    return f"for `wxyc run`, set what `wxyc up` printed ({up})" if up else otherwise
