"""Simulates a station: ``make simulate SEED=1 HOURS=168``, ``make simulate``, ``make simulate-soak MINUTES=60``.

A failure prints the seed, the step and the invariant, shrinks the steps, and writes them to a file that ``--replay`` repeats.
Exit code 1 after a failure.
"""

import argparse
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from tests import processes
from tests.simulation.planning import plan
from tests.simulation.shrinking import shrink
from tests.simulation.simulation import Failure, Result, serving
from tests.simulation.steps import Recording, Step, load

SEEDS = range(1, 1001)
"""The fixed seeds of ``make simulate``, as many as the time allows."""

SHRINK_ATTEMPTS = 150


class Simulates(Protocol):
    """Simulates steps on a new station."""

    def simulate(
        self, steps: Sequence[Step], tell: Callable[[str], None] = ..., /, *, converging: bool = True
    ) -> Result:
        """Simulate."""


def main() -> int:
    options = parsed(sys.argv[1:])
    processes.start_supervisor()
    try:
        with serving() as server:
            if options.replay:
                return report(server, load(options.replay), options)
            return _simulate_seeds(server, options)
    finally:
        processes.stop_supervisor()


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, help="the one seed to simulate")
    parser.add_argument("--hours", type=int, default=24, help="simulated hours of each seed (24)")
    parser.add_argument("--minutes", type=float, help="go on with further seeds for so many minutes")
    parser.add_argument("--new-seeds", action="store_true", help="random seeds instead of 1, 2, 3, ...")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="the steps of a recorded failure")
    parser.add_argument("--folder", type=Path, default=Path(), help="where the file of a failure is written (here)")
    parser.add_argument("--no-shrink", action="store_true", help="keep all steps of a failure")
    parser.add_argument("--verbose", action="store_true", help="print each step")
    return parser.parse_args(arguments)


def _simulate_seeds(server: Simulates, options: argparse.Namespace) -> int:
    began, hours, slowest_s = time.monotonic(), 0, 0.0
    for seed in _seeds(options):
        seed_began = time.monotonic()
        if hours and seed_began - began + slowest_s > (options.minutes or 0) * 60:
            break
        if report(server, Recording(seed, plan(seed, options.hours)), options):
            return 1
        hours += options.hours
        slowest_s = max(slowest_s, time.monotonic() - seed_began)
    _say(f"no invariant broke in {hours} simulated hours, {time.monotonic() - began:.0f} s")
    return 0


def _seeds(options: argparse.Namespace) -> Iterator[int]:
    if options.seed is not None:
        yield options.seed
    elif options.new_seeds:
        while True:
            yield secrets.randbelow(10**9)
    else:
        yield from SEEDS


def report(server: Simulates, recording: Recording, options: argparse.Namespace) -> int:
    """Simulate, and say how it went; return 1 after a failure."""
    result = server.simulate(recording.steps, _say if options.verbose else lambda _line: None)
    if result.failure is None:
        _say(f"seed {recording.seed}: {result.steps} steps, {result.runs} runs, {result.seconds:.1f} s")
        return 0
    _say(f"seed {recording.seed} failed {_place(recording.steps, result.failure)}\n  {result.failure.problem}")
    if not (options.replay or options.no_shrink):
        _save_shrunken(server, recording, result, options.folder)
    return 1


def _place(steps: Sequence[Step], failure: Failure) -> str:
    if failure.place == len(steps):
        return "when it converged"
    return f"at step {failure.place}, {steps[failure.place]}"


def _save_shrunken(server: Simulates, recording: Recording, result: Result, folder: Path) -> None:
    assert result.failure is not None
    invariant = result.failure.invariant
    converging = result.failure.place == len(recording.steps)

    def still_fails(steps: Sequence[Step]) -> bool:
        failure = server.simulate(steps, converging=converging).failure
        return failure is not None and failure.invariant == invariant

    tried = recording.steps[: result.failure.place + 1]
    file = folder / f"simulation-{recording.seed}.json"
    Recording(recording.seed, tried, result.failure.problem).save(file)
    steps = shrink(tried, still_fails, SHRINK_ATTEMPTS)
    Recording(recording.seed, steps, result.failure.problem).save(file)
    _say(f"{len(steps)} of {len(tried)} steps are enough:")
    for step in steps:
        _say(f"  {step}")
    _say(f"repeat them with: python -m tests.simulation --replay {file}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
