"""A station with a rotation, runs of rotation_cache on it, and what they counted and logged."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from resources.deploy_gate.gate import DeployGate
from resources.deploy_gate.github import GitHub
from tests.run_harness import StationRuns, failed_checks
from wxyc_assets.assets.rotation_cache.counters import TOTALS
from wxyc_assets.assets.rotation_cache.plan import Batching
from wxyc_assets.assets.rotation_cache.run import Request, RunReport, Tools, run
from wxyc_assets.runs.discogs_rate import DiscogsRate

TOOL = "rotation-artist-backfill"
FREE = DiscogsRate(1e9, 4)
"""A budget that never makes a run wait."""

IDENTITIES = list(range(101, 161))
"""The identities of the fixture ``rotation``."""


def today() -> date:
    """The UTC day."""
    return datetime.now(UTC).date()


def in_days(days: int) -> date:
    """The UTC day that is ``days`` after today."""
    return today() + timedelta(days=days)


def request(**overrides: Any) -> Request:
    """A request for today, in batches of 10, three in flight."""
    usual = {"run_id": str(uuid.uuid4()), "origin": "explicit", "days": [str(today())], "today": today()}
    return Request(**{**usual, "discogs_rate": FREE, "batching": Batching(10, 3), **overrides})


def counts(report: RunReport, *names: str) -> dict[str, int]:
    """The counters of these names."""
    return {name: getattr(report.counters, name) for name in names}


def totals(report: RunReport) -> list[int]:
    """The predecessor's totals, in the order of ``TOTALS``."""
    return [getattr(report.counters, name) for name in TOTALS]


@dataclass
class RotationCacheRuns(StationRuns):
    """Runs on one station. ``credited``: the days that were credited. ``github``: where the gate compares commits.

    ``notifications`` are the sentences for the page of the run, ``slept`` the seconds that the runs would have slept for LML's
    breaker. ``on_sleep`` is called instead of sleeping.
    """

    github: str = "http://127.0.0.1:9"
    local_dev: bool = False
    on_sleep: Callable[[], None] = lambda: None
    credited: list[str] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def add(self, identity_id: int | None, *, kill: date | None = None, times: int = 1) -> None:
        """Put ``times`` albums with this identity into rotation."""
        self.rows(
            "INSERT INTO rotation (rotation_bin, artist_name, album_title, lml_identity_id, kill_date) "
            "SELECT 'H', 'Jessica Pratt', 'On Your Own Love Again', %s, %s FROM generate_series(1, %s) RETURNING id",
            [identity_id, kill, times],
        )

    def run(
        self, url: str, *, client: dict[str, Any] | None = None, per_minute: float = 1e9, **overrides: Any
    ) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the other arguments the request."""
        with self.lml(url, per_minute=per_minute, **{"attempts": 1, **(client or {})}) as lml:
            run_request = request(**overrides)
            tools = self.tools(lml, run_request.run_id)
            return run(run_request, tools, lambda report: self.credited.extend(report.request.days))

    def tools(self, lml: Any, run_id: str = "run") -> Tools:
        """The resources of a run that logs into ``stream``."""
        gate = DeployGate(lml, GitHub(self.github), local_dev=self.local_dev)
        log = self.log(TOOL, run_id)
        return Tools(
            self.postgres,
            lml,
            gate,
            self.sentry,
            log,
            self.progress,
            self.unit_wait_s,
            notify=self.notifications.append,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        """Record a sleep instead of sleeping."""
        self.slept.append(seconds)
        self.on_sleep()

    @property
    def stale(self) -> list[tuple[Any, ...]]:
        """The identities that LML did not know: id, times in a row, whether they rest, and whether they are released."""
        return self.rows(
            "SELECT input_id, failures, wait_until IS NOT NULL, resolved_at IS NOT NULL FROM wxyc_assets.quarantine "
            "WHERE asset = 'rotation_cache' AND kind = 'not_found' ORDER BY 1"
        )

    def assert_adds_up(self, report: RunReport) -> None:
        """Assert that every identity is counted once, in the report, in the ledger and in the contract's sums."""
        counters = report.counters
        assert counters.identities_scanned == counters.identities_resolved + counters.lml_error
        assert counters.identities_resolved == counters.warmed + counters.not_found + counters.not_implemented
        assert self.tallied(report.request.run_id) == counters.stored()
        assert "accounting_holds" not in failed_checks(report)
