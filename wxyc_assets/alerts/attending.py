"""One round over everything that a person must hear of: runs that ended, what is late, and what Sentry was not told yet."""

from dataclasses import dataclass

import dagster as dg
import psycopg

from wxyc_assets.alerts import outbox
from wxyc_assets.alerts.delivery import Post, deliver
from wxyc_assets.alerts.hearing import Listener
from wxyc_assets.alerts.outbox import Redact, execute
from wxyc_assets.alerts.reading import Scopes
from wxyc_assets.alerts.watch import conditions
from wxyc_assets.revision import require_migrated
from wxyc_assets.settings import IdentitySettings, RatingSettings
from wxyc_assets.standing.station import standings


@dataclass(frozen=True)
class Attendant:
    """What a round needs.

    ``post``: None where there is no Sentry; the outbox is kept all the same. ``is_sensor``: it looks again and again, so that
    whoever asks when it last did learns whether anybody watches.
    """

    scopes: Scopes
    identity: IdentitySettings
    rating: RatingSettings
    redact: Redact
    post: Post | None
    is_sensor: bool = False


@dataclass(frozen=True)
class Round:
    """What came of a round: runs heard, events that Sentry took, and what was in the way of others."""

    heard: int
    told: int
    problem: str

    def __str__(self) -> str:
        said = f"heard {self.heard} runs, told Sentry {self.told} times"
        return f"{said}; {self.problem}" if self.problem else said


def attend(attendant: Attendant, instance: dg.DagsterInstance, connection: psycopg.Connection) -> Round:
    """Make the outbox say how things stand, then tell Sentry what it was not told.

    Raises MigrationError if our schema is not there, psycopg.Error if the database fails; what had been told stays told.
    """
    require_migrated(connection)
    heard = Listener(instance, connection, attendant.scopes, attendant.redact).listen()
    with connection.transaction():
        found = standings(connection, attendant.identity, attendant.rating)
        outbox.hold(connection, conditions(found), at=found[0].at, redact=attendant.redact)
    told, problem = deliver(connection, attendant.post) if attendant.post else (0, "")
    if attendant.is_sensor:
        execute(connection, "update_watch", problem=problem)
    return Round(heard, told, problem)
