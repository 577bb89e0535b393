"""Puts the kept defects into copies of the code: ``make mutate``, ``make mutate ID=...``, ``make mutate PART=3/10``.

Exit code 0 if the tests of each defect find it, else 1.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from tests import processes
from tests.mutation.mutations import Mutation, load, part_of
from tests.mutation.runner import Result, database, judge

SHOWN_LINES = 25
"""Lines of pytest's output that are printed for a mutation which its tests did not find."""


def main() -> int:
    options = parsed(sys.argv[1:])
    try:
        mutations = chosen(load(), options.id, options.part)
    except ValueError as error:
        _say(str(error))
        return 1
    if options.list:
        for mutation in mutations:
            _say(f"{mutation.id}: {mutation.why}")
        return 0
    processes.start_supervisor()
    try:
        with database() as environ:
            return report(mutations, options.workers, environ)
    except KeyboardInterrupt:
        processes.end_children()
        _say("interrupted")
        return 1
    finally:
        processes.stop_supervisor()


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__.split("\n")[0])
    parser.add_argument("--id", help="the one mutation to apply")
    parser.add_argument("--part", help="a part of all mutations, such as 3/10; auto: another tenth every day")
    parser.add_argument("--list", action="store_true", help="print the mutations, and apply none")
    parser.add_argument("--workers", type=int, default=2, help="copies of the tree to test at the same time (2)")
    return parser.parse_args(arguments)


def chosen(mutations: Sequence[Mutation], only: str | None, part: str | None) -> list[Mutation]:
    """Return the mutations that the options name; raises ValueError if there is none."""
    if part:
        mutations = part_of(mutations, part, datetime.now(UTC).date())
    found = [mutation for mutation in mutations if only in {None, mutation.id}]
    if not found:
        raise ValueError(f"no mutation has the id {only}: `make mutate LIST=1` lists them")
    return found


def report(mutations: Sequence[Mutation], workers: int, environ: Mapping[str, str]) -> int:
    """Judge the mutations and say how it went; return 1 unless all were killed."""
    began = time.monotonic()
    missed: list[Result] = []
    for number, result in enumerate(judge(mutations, workers=workers, environ=environ, tell=_say), start=1):
        _say(f"[{number}/{len(mutations)}] {result.verdict}: {result.mutation.id} ({result.seconds:.1f} s)")
        if result.verdict != "killed":
            missed.append(result)
    for result in missed:
        _explain(result)
    killed = len(mutations) - len(missed)
    _say(f"{killed} of {len(mutations)} mutations were killed, {time.monotonic() - began:.0f} s")
    return 1 if missed else 0


def _explain(result: Result) -> None:
    mutation = result.mutation
    _say(f"\n{mutation.id}: {result.verdict}\n  {mutation.file}: {mutation.why}")
    for line in (*mutation.tests, *result.detail.splitlines()[-SHOWN_LINES:]):
        _say(f"  {line}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
