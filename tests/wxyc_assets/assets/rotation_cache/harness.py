"""A station's rotation and runs of rotation_cache over it, as a test wants them, with what they logged."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from resources.deploy_gate.gate import DeployGate
from resources.deploy_gate.github import GitHub
from tests.station_runs import StationRuns
from wxyc_assets.pace import Pace
from wxyc_assets.rotation_cache.plan import Batching
from wxyc_assets.rotation_cache.run import Request, RunReport, Tools, run

TOOL = "rotation-artist-backfill"
FREE = Pace(1e9, 4)
"""A budget that nobody has to wait for."""


def today() -> date:
    """The UTC day."""
    return datetime.now(UTC).date()


def in_days(days: int) -> date:
    """A day that is so many after the UTC day."""
    return today() + timedelta(days=days)


def request(**overrides: Any) -> Request:
    """A request for today, in batches of 10, three in flight."""
    usual = {"run_id": str(uuid.uuid4()), "origin": "explicit", "days": [str(today())], "today": today()}
    return Request(**{**usual, "pace": FREE, "batching": Batching(10, 3), **overrides})


@dataclass
class Warmings(StationRuns):
    """Runs on one station; ``credited`` are the days that were credited. ``github``: where the gate compares commits."""

    github: str = "http://127.0.0.1:9"
    local_dev: bool = False
    credited: list[str] = field(default_factory=list)

    def add(self, identity_id: int | None, *, kill: date | None = None, times: int = 1) -> None:
        """Put albums with this identity into rotation."""
        self.rows(
            "INSERT INTO rotation (rotation_bin, artist_name, album_title, lml_identity_id, kill_date) "
            "SELECT 'H', 'Jessica Pratt', 'On Your Own Love Again', %s, %s FROM generate_series(1, %s) RETURNING id",
            [identity_id, kill, times],
        )

    def run(
        self, url: str, *, client: dict[str, Any] | None = None, per_minute: float = 1e9, **overrides: Any
    ) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the rest the request."""
        with self.lml(url, per_minute=per_minute, **{"attempts": 1, **(client or {})}) as lml:
            asked = request(**overrides)
            return run(asked, self.tools(lml, asked.run_id), lambda report: self.credited.extend(report.request.days))

    def tools(self, lml: Any, run_id: str = "run") -> Tools:
        """What a run works with, logging into ``stream``."""
        gate = DeployGate(lml, GitHub(self.github), local_dev=self.local_dev)
        log = self.log(TOOL, run_id)
        return Tools(self.postgres, lml, gate, self.sentry, log, self.progress, self.unit_wait_s)

    @property
    def stale(self) -> list[tuple[Any, ...]]:
        """Which identities were not found, how often in a row, whether they rest, and whether that is over."""
        return self.rows(
            "SELECT input_id, failures, wait_until IS NOT NULL, resolved_at IS NOT NULL FROM wxyc_assets.quarantine "
            "WHERE asset = 'rotation_cache' AND kind = 'not_found' ORDER BY 1"
        )
