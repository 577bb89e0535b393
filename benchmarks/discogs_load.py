"""Discogs calls a minute at LML, with the default settings, several Dagster processes at once, and live callers.

Everything is local: a sandbox station, and a sandbox LML whose simulated Discogs counts its calls without a limit, so that it
observes what the assets request. First the cache is cold, then warm. All assets that call LML run, album_metadata in two
processes; live callers look up releases of their own at a steady rate. Prints the calls of each minute and the most in any 60
seconds, and draws both. Exits 1 if the most exceeds the cap.

    python -m benchmarks.discogs_load [--cold-minutes 5] [--warm-minutes 2] [--live-per-min 20] [--picture FILE.png]
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import httpx
from matplotlib.figure import Figure

from benchmarks.stations import temporary_server
from resources.embedded_postgres import EmbeddedPostgres
from resources.lml.endpoints import DISCOGS_CAP_PER_MIN
from resources.postgres import Postgres
from wxyc_assets.database.migrate import migrate
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import DEFAULT_API_KEY, SandboxLml
from wxyc_assets.sandbox.station import create
from wxyc_assets.settings import LmlSettings

MINUTE_S = 60
STOP_TIMEOUT_S = 30
FIRST_RUN = ["rotation_identity"]
CONCURRENT_RUNS = [
    ["library_identity"],
    ["album_metadata", *(f"--partition={shard}" for shard in range(8))],
    ["album_metadata", *(f"--partition={shard}" for shard in range(8, 16))],
    ["rotation_cache"],
]
LIVE = "live callers"
CALLERS = {"lookup-bulk": "album_metadata", "refresh-for-identities": "rotation_cache", "lookup": LIVE}
"""Who uses each endpoint of LML that calls Discogs."""

Process: TypeAlias = "subprocess.Popen[bytes]"


@dataclass(frozen=True)
class Observed:
    """The Discogs calls of one phase, as (seconds since its start, caller), and the exit codes of its processes."""

    phase: str
    lasted_s: float
    calls: list[tuple[float, str]]
    exit_codes: dict[str, int] = field(default_factory=dict)

    def by_minute(self) -> list[dict[str, int]]:
        """Return the calls of each minute, by caller."""
        minutes = [Counter[str]() for _ in range(int(self.lasted_s // MINUTE_S) + 1)]
        for at_s, caller in self.calls:
            minutes[min(len(minutes) - 1, int(at_s // MINUTE_S))][caller] += 1
        return [dict(minute) for minute in minutes]

    def peak(self, callers: Sequence[str] = ()) -> int:
        """Return the most calls in any 60 seconds, of these callers or of all."""
        instants = [at_s for at_s, caller in self.calls if not callers or caller in callers]
        return max((sum(first <= at_s < first + MINUTE_S for at_s in instants) for first in instants), default=0)


@contextmanager
def live_callers(lml: SandboxLml, per_min: float) -> Iterator[None]:
    """Look up new releases at a steady rate until the block ends."""
    over = threading.Event()

    def call() -> None:
        with httpx.Client(base_url=lml.url, headers={"Authorization": f"Bearer {DEFAULT_API_KEY}"}) as http:
            number = 0
            while not over.wait(MINUTE_S / per_min):
                number += 1
                http.post("/api/v1/lookup", json={"artist": f"Live {number}", "album": "On Air", "raw_message": "live"})

    thread = threading.Thread(target=call)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def observe(
    phase: str, server: EmbeddedPostgres, home: Path, cold_items: int | None, options: argparse.Namespace
) -> Observed:
    """Run all processes against a fresh station and a fresh LML until they end or the time is up."""
    minutes = options.cold_minutes if cold_items is None else options.warm_minutes
    for name in (phase, f"{phase}_dagster"):
        server.ensure_database(name)
    postgres = Postgres(server.dsn(phase))
    with postgres.connect() as connection:
        create(connection, sample=True)
    migrate(postgres)
    with SandboxLml(discogs=DiscogsConfig(limit_calls=None, cold_items=cold_items)) as lml:
        environ = {
            **os.environ,
            "WXYC_HOME": str(home),
            "DATABASE_URL": server.dsn(phase),
            "DAGSTER_DATABASE_URL": server.dsn(f"{phase}_dagster"),
            "LIBRARY_METADATA_URL": lml.url,
            "LML_API_KEY": DEFAULT_API_KEY,
            "LOCAL_DEV": "1",
        }
        with started([FIRST_RUN], environ) as (first,):
            first.wait()
        start_s = time.monotonic() - lml.request_log.started_s
        with live_callers(lml, options.live_per_min), started(CONCURRENT_RUNS, environ) as processes:
            wait(processes, minutes * MINUTE_S)
            for process in processes:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
            exit_codes = {
                " ".join(run[:2]): process.wait(STOP_TIMEOUT_S)
                for run, process in zip(CONCURRENT_RUNS, processes, strict=True)
            }
        lasted_s = time.monotonic() - lml.request_log.started_s - start_s
        calls = [(at_s - start_s, CALLERS.get(caller, caller)) for at_s, caller in lml.state()["discogs"]["calls"]]
    return Observed(phase, lasted_s, [(at_s, caller) for at_s, caller in calls if at_s >= 0], exit_codes)


@contextmanager
def started(runs: Sequence[Sequence[str]], environ: dict[str, str]) -> Iterator[list[Process]]:
    """Start ``wxyc run`` for each of the runs, as an operator would; kill what still runs at the end of the block."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "wxyc_assets", "run", *run],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for run in runs
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def wait(processes: Sequence[Process], timeout_s: float) -> None:
    """Wait until all processes have ended, at most ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline and any(process.poll() is None for process in processes):
        time.sleep(0.5)


def draw(phases: Sequence[Observed], budget: float, picture: Path) -> None:
    """Draw the calls of the last 60 seconds at every second, of the assets and of the live callers, with the cap."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    axes = figure.subplots(1, len(phases), sharey=True, width_ratios=[max(1.0, phase.lasted_s) for phase in phases])
    for axis, phase in zip(axes, phases, strict=True):
        callers = ["album_metadata", "rotation_cache", LIVE]
        seconds = range(int(phase.lasted_s) + 1)
        heights = [
            [sum(second - MINUTE_S < at_s <= second for at_s, by in phase.calls if by == caller) for second in seconds]
            for caller in callers
        ]
        axis.stackplot(
            [second / MINUTE_S for second in seconds], heights, labels=callers, colors=["#3a6ea5", "#e0a030", "#9aa5b1"]
        )
        axis.axhline(DISCOGS_CAP_PER_MIN, color="#b03030", label=f"Discogs' cap, {DISCOGS_CAP_PER_MIN}")
        axis.axhline(budget, color="#3a6ea5", linestyle="--", label=f"the assets' budget, {budget:g}")
        axis.set(title=f"{phase.phase} cache", xlabel="minutes", xlim=(0, None), ylim=(0, DISCOGS_CAP_PER_MIN * 1.15))
    axes[0].set_ylabel("Discogs calls in the last 60 s")
    axes[-1].legend(loc="center", fontsize="small")  # the plot of the warm cache has room
    figure.savefig(picture, dpi=110, metadata={"Software": None})


def main() -> int:
    """Observe, print, draw; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cold-minutes", type=float, default=5)
    parser.add_argument("--warm-minutes", type=float, default=2)
    parser.add_argument("--live-per-min", type=float, default=20)
    parser.add_argument("--picture", type=Path, default=Path("docs/img/discogs-load.png"))
    options = parser.parse_args()
    budget = LmlSettings().discogs_budget_per_min
    with temporary_server() as (server, home):
        phases = [observe(name, server, home, cold, options) for name, cold in (("cold", None), ("warm", 0))]
    options.picture.parent.mkdir(parents=True, exist_ok=True)
    draw(phases, budget, options.picture)
    peaks = [phase.peak() for phase in phases]
    report = {
        "cap_per_min": DISCOGS_CAP_PER_MIN,
        "budget_per_min": budget,
        "live_per_min": options.live_per_min,
        "phases": {
            phase.phase: {
                "lasted_s": round(phase.lasted_s),
                "calls_by_minute": phase.by_minute(),
                "peak_in_any_60s": phase.peak(),
                "peak_of_the_assets": phase.peak([caller for caller in CALLERS.values() if caller != LIVE]),
                "exit_codes": phase.exit_codes,
            }
            for phase in phases
        },
        "picture": str(options.picture),
    }
    print(json.dumps(report, indent=2))
    return int(max(peaks) > DISCOGS_CAP_PER_MIN)


if __name__ == "__main__":
    sys.exit(main())
