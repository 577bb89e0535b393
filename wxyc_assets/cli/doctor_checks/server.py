"""Checks the state of the station's server: that sessions may write, that its clock is ours, that it takes more connections."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import psycopg

from resources import sql_files
from wxyc_assets.cli.doctor_checks.diagnosis import Diagnosis
from wxyc_assets.cli.services import station_lock

CLOCK_TOLERANCE = timedelta(seconds=30)
"""Half a tick of the sensors. Hours are closed by this machine's clock, and rested inputs are due by the server's."""

CONNECTIONS_NEEDED = 20
"""A run takes up to 8; Dagster's daemon, webserver and code server the others, if their storage is on this server."""


def _now() -> datetime:
    return datetime.now(UTC)


def check_server(
    connection: psycopg.Connection, name: str = "database", now: Callable[[], datetime] = _now
) -> Iterator[Diagnosis]:
    """Yield a diagnosis for each thing that is wrong, and which `wxyc up` runs on this station.

    ``name`` is that of the database in the names of the diagnoses, ``now`` our clock.
    """
    query = sql_files.load("wxyc_assets.cli", "select_server_state")
    before = now()
    ((read_only, is_standby, server_at, left),) = connection.execute(query).fetchall()
    after = now()
    if read_only:
        yield _read_only(connection, name, is_standby=is_standby)
    # The server looked at its clock at some instant between.
    yield from _clock(name, max(server_at - after, before - server_at), ahead=server_at > after)
    if left < CONNECTIONS_NEEDED:
        yield Diagnosis(
            f"{name}: connections",
            ok=False,
            says=f"the server takes only {max(left, 0)} more; a run and Dagster need {CONNECTIONS_NEEDED}",
            advice="end idle sessions, or raise max_connections or the limit of the role or the database",
        )
    if holder := station_lock.find(connection):
        yield Diagnosis("wxyc up", ok=True, says=f"runs on this station: {holder}")


def _read_only(connection: psycopg.Connection, name: str, *, is_standby: bool) -> Diagnosis:
    if is_standby:
        says, advice = "is a standby, on which nothing can be written", "name the primary in the URL"
    else:
        user = connection.info.user
        says = f"sessions of {user} may write nothing: default_transaction_read_only is on"
        advice = (
            "take it out of the URL, or let an administrator run: SET default_transaction_read_only TO off; "
            f'ALTER ROLE "{user}" RESET default_transaction_read_only; '
            f'ALTER DATABASE "{connection.info.dbname}" RESET default_transaction_read_only'
        )
    return Diagnosis(f"{name}: read-only", ok=False, says=says, advice=advice)


def _clock(name: str, skew: timedelta, *, ahead: bool) -> Iterator[Diagnosis]:
    if skew > CLOCK_TOLERANCE:
        yield Diagnosis(
            f"{name}: clock",
            ok=False,
            says=f"the server's clock is {skew.total_seconds():.0f} s {'ahead of' if ahead else 'behind'} this machine's",
            advice="synchronise both clocks, such as by chrony or systemd-timesyncd",
        )
