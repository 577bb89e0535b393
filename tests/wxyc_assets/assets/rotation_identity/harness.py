"""A station with a rotation, runs of rotation_identity on it, and what they wrote and logged."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from resources.lml.client import LmlClient
from tests.run_harness import StationRuns, failed_checks
from tests.wxyc_assets.assets.rotation_identity.fake_lml import identity_of
from wxyc_assets.assets.rotation_identity.counters import BUCKETS
from wxyc_assets.assets.rotation_identity.run import Request, RunReport, Tools, run

TOOL = "rotation-lml-identity-backfill"
UNIT = "rotation_identity/all"
"""The unit that a run locks."""

IDENTITIES = {rotation_id: identity_of(1000 + rotation_id) for rotation_id in range(1, 61)}
"""The identity of each row of the fixture ``rotation`` after a complete run."""


def today() -> date:
    """The UTC day."""
    return datetime.now(UTC).date()


def in_days(days: int) -> date:
    """The UTC day that is ``days`` after today."""
    return today() + timedelta(days=days)


def request(**overrides: Any) -> Request:
    """A request with a run id of its own."""
    return Request(**{"run_id": str(uuid.uuid4()), "origin": "explicit", **overrides})


def counts(report: RunReport, *names: str) -> dict[str, int]:
    """The counters of these names."""
    return {name: getattr(report.counters, name) for name in names}


@dataclass
class RotationIdentityRuns(StationRuns):
    """Runs on one station. The test chooses the ids of its rotation rows."""

    def add(self, rotation_id: int, release: int | None, *, kill: date | None = None, has: int | None = None) -> None:
        """Put an album into rotation; ``has`` is the identity that it already has."""
        self.rows(
            "INSERT INTO rotation (id, rotation_bin, artist_name, album_title, discogs_release_id, kill_date, lml_identity_id) "
            "VALUES (%s, 'H', 'Juana Molina', 'DOGA', %s, %s, %s) RETURNING id",
            [rotation_id, release, kill, has],
        )

    def run(self, url: str, *, client: dict[str, Any] | None = None, **overrides: Any) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the other arguments the request."""
        with self.lml(url, **(client or {})) as lml:
            run_request = request(**overrides)
            return run(run_request, self.tools(lml, run_request.run_id))

    @contextmanager
    def lml(self, url: str, *, per_minute: float = 1e9, **overrides: Any) -> Iterator[LmlClient]:
        """A client of the LML at ``url`` with one attempt per call and no pause between calls."""
        with super().lml(url, per_minute=per_minute, **{"attempts": 1, "min_interval_s": 0.0, **overrides}) as client:
            yield client

    def tools(self, lml: Any, run_id: str = "run") -> Tools:
        """The resources of a run that logs into ``stream``."""
        log = self.log(TOOL, run_id)
        return Tools(self.postgres, lml, self.sentry, log, self.progress, self.unit_wait_s)

    @property
    def identities(self) -> dict[int, int | None]:
        """The identity of each row."""
        return dict(self.rows("SELECT id, lml_identity_id FROM rotation ORDER BY id"))

    @property
    def resolved(self) -> dict[int, int]:
        """The identity of each row that has one."""
        return {rotation_id: identity for rotation_id, identity in self.identities.items() if identity is not None}

    @property
    def quarantined(self) -> list[tuple[Any, ...]]:
        """The quarantined rows: id, kind, failures in a row, whether they rest, and whether they are released."""
        return self.rows(
            "SELECT input_id, kind, failures, wait_until IS NOT NULL, resolved_at IS NOT NULL FROM wxyc_assets.quarantine "
            "WHERE asset = 'rotation_identity' ORDER BY 1, 2"
        )

    def assert_adds_up(self, report: RunReport) -> None:
        """Assert that every row is in one bucket, and that the report and the ledger have the same counters."""
        totals = report.counters.stored()
        assert totals["scanned"] == sum(totals[bucket] for bucket in BUCKETS)
        assert self.tallied(report.request.run_id) == totals
        assert "accounting_holds" not in failed_checks(report)
