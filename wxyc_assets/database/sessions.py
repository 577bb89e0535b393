"""Sessions on the station's database and on that of its billing, for what reads both."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psycopg

from resources.postgres import Postgres, connect_error_advice
from wxyc_assets.database.connections import distinct
from wxyc_assets.database.revision import MigrationError, require_migrated


@dataclass(frozen=True)
class Sessions:
    """One session on each database that holds our schema.

    ``billing`` is the station's session where the station holds the billing tables too. It is None if their own database
    cannot be used, for the reason in ``billing_problem``: that concerns rated_usage only.
    """

    station: psycopg.Connection
    billing: psycopg.Connection | None
    billing_problem: str = ""

    @property
    def open(self) -> Sequence[psycopg.Connection]:
        """The sessions that could be opened, each once."""
        billing = [self.billing] if self.billing and self.billing is not self.station else []
        return [self.station, *billing]


@contextmanager
def open_sessions(station: Postgres, billing: Postgres) -> Iterator[Sessions]:
    """Yield sessions on both, or one for both.

    Raises psycopg.OperationalError if the station cannot be reached, MigrationError if our schema is not up to date there.
    """
    with ExitStack() as stack:
        on_station = stack.enter_context(station.connect())
        require_migrated(on_station)
        yield _with_billing(stack, on_station, station, billing)


def _with_billing(stack: ExitStack, on_station: psycopg.Connection, station: Postgres, billing: Postgres) -> Sessions:
    if len(distinct(station, billing)) == 1:
        return Sessions(on_station, on_station)
    try:
        on_billing = stack.enter_context(billing.connect())
        require_migrated(on_billing)
    except psycopg.OperationalError as error:
        return Sessions(on_station, None, connect_error_advice(error, billing))
    except MigrationError as error:
        return Sessions(on_station, None, f"{billing.location()}: {error}")
    return Sessions(on_station, on_billing)
