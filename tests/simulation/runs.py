"""Runs of the assets in a simulation: through their own ``run``, with the simulated clock, here or in a process to be killed.

Usage of the process: ``python -m tests.simulation.runs DSN RELAYED_DSN URL PRICE_FILE RUN``, where RUN is JSON.
"""

import io
import json
import sys
import traceback
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from resources.budget import PostgresBudget
from resources.deadline_transport import DeadlineTransport
from resources.deploy_gate.gate import DeployGate
from resources.deploy_gate.github import GitHub
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.postgres import Postgres
from resources.sentry import SentryConfig, open_sentry
from resources.step_log import StepLog, step_log
from tests.simulation.clock import SimulatedClock
from tests.simulation.world import BILLING_START, DISCOGS_PER_MIN, TRAILING_H
from wxyc_assets.assets.album_metadata import run as album_metadata
from wxyc_assets.assets.flowsheet_enrichment import run as flowsheet_enrichment
from wxyc_assets.assets.library_identity import run as library_identity
from wxyc_assets.assets.price_book.load import load_price_book
from wxyc_assets.assets.rated_usage import run as rated_usage
from wxyc_assets.assets.rated_usage.unbilled.search import find_unbilled, search_window
from wxyc_assets.assets.rotation_cache import run as rotation_cache
from wxyc_assets.assets.rotation_cache.plan import Batching
from wxyc_assets.assets.rotation_identity import run as rotation_identity
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.runs.partitions import HOUR, WindowError, floor_hour, hours_between, window_keys
from wxyc_assets.runs.progress import NoProgress

STALE, RETRY, GRACE = timedelta(hours=5), timedelta(days=1), timedelta(minutes=15)
"""Identities become stale, and rests end, so soon that most runs have something to do."""

CLIENT: Mapping[str, Any] = {
    "attempts": 2,
    "backoff_initial_s": 0.001,
    "backoff_jitter_s": 0.001,
    "backoff_max_s": 0.002,
    "retry_after_max_s": 0.01,
    "min_interval_s": 0.0,
    "cost_lookup_item": 1.0,
    "cost_refresh_id": 4.0,
}
"""The configuration of the client of LML: the waits that it makes in real time are short."""


class _Transport(DeadlineTransport):
    """The client's own sockets; the simulated clock stands still from the end of a wait until the call is answered."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make the call."""
        try:
            return super().handle_request(request)
        finally:
            self._clock.called()


@dataclass
class Finished:
    """How a run ended. ``report`` is None if it raised ``error``, or was killed."""

    asset: str
    run_id: str
    request: Any = None
    report: Any = None
    error: BaseException | None = None
    trace: str = ""
    log: str = ""
    credited: list[Any] = field(default_factory=list)
    idle: bool = False
    """There was nothing to run."""

    @property
    def verdict(self) -> str:
        if self.idle:
            return "idle"
        return self.report.verdict if self.report else "raised"


@dataclass(frozen=True)
class Runner:
    """What runs work with. ``postgres`` is the way to the database that a run takes."""

    postgres: Postgres
    clock: SimulatedClock
    url: str
    price_file: Path

    def run(self, asset: str, run_id: str, origin: str, options: Mapping[str, Any]) -> Finished:
        """Run an asset to its end, whatever that is."""
        finished = Finished(asset, run_id)
        stream = io.StringIO()
        log = step_log(tool=asset, run_id=run_id, stream=stream)
        dry_run = bool(options.get("dry_run"))
        shared = {"run_id": run_id, "origin": origin, "dry_run": dry_run}
        try:
            getattr(self, f"_{asset}")(finished, shared, options, log)
        except Exception as error:  # noqa: BLE001 - the invariants judge it
            finished.error, finished.trace = error, traceback.format_exc()
        finished.log = stream.getvalue()
        return finished

    @contextmanager
    def _lml(self) -> Iterator[LmlClient]:
        config = LmlConfig(base_url=self.url, api_key=SecretStr("sandbox-key"), **CLIENT)
        with (
            closing(PostgresBudget(self.postgres.open, per_minute=DISCOGS_PER_MIN)) as budget,
            closing(
                LmlClient(
                    config,
                    budget=budget,
                    transport=_Transport(self.clock),
                    wait=self.clock.wait,
                    clock=self.clock.monotonic,
                )
            ) as client,
        ):
            yield client

    @property
    def _tools(self) -> dict[str, Any]:
        return {"progress": NoProgress(), "unit_wait_s": 0.2}

    def _library_identity(
        self, finished: Finished, shared: Mapping[str, Any], options: Mapping[str, Any], log: StepLog
    ) -> None:
        finished.request = library_identity.Request(
            **shared,
            shards=options.get("shards", range(16)),
            stale_after=STALE,
            retry_after=RETRY,
            recheck=options.get("recheck", False),
        )
        with self._lml() as lml:
            tools = library_identity.Tools(self.postgres, lml, NO_SENTRY, log, **self._tools)
            finished.report = library_identity.run(
                finished.request, tools, lambda done: finished.credited.append(done.shard)
            )

    def _album_metadata(
        self, finished: Finished, shared: Mapping[str, Any], options: Mapping[str, Any], log: StepLog
    ) -> None:
        finished.request = album_metadata.Request(
            **shared,
            shards=options.get("shards", range(16)),
            retry_after=RETRY,
            grace=GRACE,
            discogs_rate=DiscogsRate(DISCOGS_PER_MIN, CLIENT["cost_lookup_item"]),
            batch_size=12,  # so large that a minute of the budget holds two and a half
            budget_ms=25_000,
        )
        with self._lml() as lml:
            tools = album_metadata.Tools(self.postgres, lml, NO_SENTRY, log, sleep=self.clock.sleep, **self._tools)
            finished.report = album_metadata.run(
                finished.request, tools, lambda done: finished.credited.append(done.shard)
            )

    def _flowsheet_enrichment(
        self, finished: Finished, shared: Mapping[str, Any], options: Mapping[str, Any], log: StepLog
    ) -> None:
        finished.request = flowsheet_enrichment.Request(
            **shared, shards=options.get("shards", range(16)), lookback_s=300, grace=GRACE
        )
        tools = flowsheet_enrichment.Tools(
            self.postgres,
            log,
            notify=lambda _sentence: None,
            sleep=self.clock.sleep,
            clock=self.clock.monotonic,
            chunk_plays=7,
            **self._tools,
        )
        finished.report = flowsheet_enrichment.run(
            finished.request, tools, lambda done: finished.credited.append(done.shard)
        )

    def _rotation_identity(
        self, finished: Finished, shared: Mapping[str, Any], _options: Mapping[str, Any], log: StepLog
    ) -> None:
        finished.request = rotation_identity.Request(**shared)
        with self._lml() as lml:
            tools = rotation_identity.Tools(self.postgres, lml, NO_SENTRY, log, **self._tools)
            finished.report = rotation_identity.run(finished.request, tools)

    def _rotation_cache(
        self, finished: Finished, shared: Mapping[str, Any], _options: Mapping[str, Any], log: StepLog
    ) -> None:
        today = self.clock.now().date()
        finished.request = rotation_cache.Request(
            **shared,
            days=[today.isoformat()],
            today=today,
            discogs_rate=DiscogsRate(DISCOGS_PER_MIN, CLIENT["cost_refresh_id"]),
            batching=Batching(3, 2),
        )
        with self._lml() as lml:
            gate = DeployGate(lml, GitHub("http://127.0.0.1:9"))
            tools = rotation_cache.Tools(self.postgres, lml, gate, NO_SENTRY, log, **self._tools)
            finished.report = rotation_cache.run(
                finished.request, tools, lambda report: finished.credited.extend(report.request.days)
            )

    def _rated_usage(
        self, finished: Finished, shared: Mapping[str, Any], options: Mapping[str, Any], log: StepLog
    ) -> None:
        hours = self._hours(options)
        if not hours:
            finished.idle = True
            return
        finished.request = rated_usage.Request(
            **shared, hours=hours, trailing=TRAILING_H, billing_start=BILLING_START, hold_prices=False
        )
        tools = rated_usage.Tools(
            self.postgres,
            lambda: load_price_book(self.price_file),
            log,
            now=self.clock.now,
            sleep=self.clock.sleep,
            **self._tools,
        )
        finished.report = rated_usage.run(finished.request, tools, lambda done: finished.credited.append(done.hour))

    def _hours(self, options: Mapping[str, Any]) -> list[str]:
        """The hours that the command line would rate: the trailing ones, a window, or those with unbilled events."""
        now = self.clock.now()
        if options.get("late"):
            with self.postgres.connect() as connection:
                found = find_unbilled(connection, search_window(now, TRAILING_H, BILLING_START))
            return [one.bucket for one in found if one.is_hour]
        since = until = None
        if "back_h" in options:
            first = floor_hour(now) - options["back_h"] * HOUR
            since, until = first.isoformat(), (first + options["hours"] * HOUR).isoformat()
        try:
            return hours_between(*window_keys(since, until, now, TRAILING_H, BILLING_START))
        except WindowError:
            return []


NO_SENTRY = open_sentry(SentryConfig(dsn=None))


def new_run_id() -> str:
    """A run id; Dagster's are UUIDs as well."""
    return str(uuid.uuid4())


def main() -> int:
    dsn, relayed_dsn, url, price_file, run = sys.argv[1:]
    clock = SimulatedClock(dsn)
    finished = Runner(Postgres(relayed_dsn), clock, url, Path(price_file)).run(**json.loads(run))
    clock.close()
    return {"done": 0, "idle": 0, "anomaly": 2}.get(finished.verdict, 1)


if __name__ == "__main__":
    sys.exit(main())
