"""A station's rotation and runs of rotation_identity over it, as a test wants them, with what they logged."""

import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from resources.lml.client import LmlClient
from tests.station_runs import StationRuns
from wxyc_assets.rotation_identity.run import Request, RunReport, Tools, run

TOOL = "rotation-lml-identity-backfill"


def today() -> date:
    """The UTC day."""
    return datetime.now(UTC).date()


def in_days(days: int) -> date:
    """A day that is so many after the UTC day."""
    return today() + timedelta(days=days)


def request(**overrides: Any) -> Request:
    """A request of its own."""
    return Request(**{"run_id": str(uuid.uuid4()), "origin": "explicit", **overrides})


@dataclass
class Rotations(StationRuns):
    """Runs on one station; what it has in rotation is numbered by the test."""

    def add(self, rotation_id: int, release: int | None, *, kill: date | None = None, has: int | None = None) -> None:
        """Put an album into rotation; ``has`` is the identity that it has already."""
        self.rows(
            "INSERT INTO rotation (id, rotation_bin, artist_name, album_title, discogs_release_id, kill_date, lml_identity_id) "
            "VALUES (%s, 'H', 'Juana Molina', 'DOGA', %s, %s, %s) RETURNING id",
            [rotation_id, release, kill, has],
        )

    def run(self, url: str, *, client: dict[str, Any] | None = None, **overrides: Any) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the rest the request."""
        with self.lml(url, **(client or {})) as lml:
            asked = request(**overrides)
            return run(asked, self.tools(lml, asked.run_id))

    def lml(self, url: str, **overrides: Any) -> AbstractContextManager[LmlClient]:
        """A client of the LML at ``url`` that asks once only, and as fast as it can."""
        return super().lml(url, **{"attempts": 1, "pace_s": 0.0, **overrides})

    def tools(self, lml: Any, run_id: str = "run") -> Tools:
        """What a run works with, logging into ``stream``."""
        log = self.log(TOOL, run_id)
        return Tools(self.postgres, lml, self.sentry, log, self.progress, self.unit_wait_s)

    @property
    def identities(self) -> dict[int, int | None]:
        """What identity each row has."""
        return dict(self.rows("SELECT id, lml_identity_id FROM rotation ORDER BY id"))

    @property
    def quarantined(self) -> list[tuple[Any, ...]]:
        """Which rows were rejected as what, how often in a row, and whether they rest, and whether that is over."""
        return self.rows(
            "SELECT input_id, kind, failures, wait_until IS NOT NULL, resolved_at IS NOT NULL FROM wxyc_assets.quarantine "
            "WHERE asset = 'rotation_identity' ORDER BY 1, 2"
        )
