"""Executes the steps of a simulation, checks the invariants after what the program did, and lets the station converge."""

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from resources.embedded_postgres import EmbeddedPostgres
from tests.processes import temporary_home
from tests.simulation import actions
from tests.simulation.convergence import converge
from tests.simulation.invariants import broken
from tests.simulation.steps import Step
from tests.simulation.world import World, prepare


@dataclass(frozen=True)
class Failure:
    """An invariant that broke: after which step (from 0; the number of steps: while the station converged), and how."""

    place: int
    problem: str

    @property
    def invariant(self) -> str:
        """The name of the invariant."""
        return self.problem.partition(":")[0]


@dataclass(frozen=True)
class Result:
    """How a simulation went."""

    failure: Failure | None
    steps: int
    runs: int
    seconds: float


def _silent(_line: str) -> None:
    """Tell nothing."""


class Server:
    """A PostgreSQL server that hands out a prepared database for each simulation."""

    def __init__(self, embedded: EmbeddedPostgres) -> None:
        self._embedded = embedded
        self._admin = psycopg.connect(embedded.dsn("postgres"), autocommit=True)
        self._admin.execute("ALTER SYSTEM SET fsync TO off")
        self._admin.execute("SELECT pg_reload_conf()")
        self._admin.execute("CREATE DATABASE template_station")
        prepare(embedded.dsn("template_station"))
        self._numbers = itertools.count(1)

    def close(self) -> None:
        self._admin.close()

    def simulate(
        self, steps: Sequence[Step], tell: Callable[[str], None] = _silent, *, converging: bool = True
    ) -> Result:
        """Simulate in a database of its own."""
        name = f"station_{next(self._numbers)}"
        self._admin.execute(f"CREATE DATABASE {name} TEMPLATE template_station")
        try:
            return simulate(self._embedded.dsn(name), steps, tell, converging=converging)
        finally:
            self._admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def serving() -> Iterator[Server]:
    """A server for simulations; it ends with the block."""
    with temporary_home("wxyc-simulation-") as home:
        embedded = EmbeddedPostgres(home)
        try:
            embedded.start()
            server = Server(embedded)
            yield server
            server.close()
        finally:
            embedded.stop()


def simulate(
    dsn: str, steps: Sequence[Step], tell: Callable[[str], None] = _silent, *, converging: bool = True
) -> Result:
    """Execute the steps on a new station until an invariant breaks. ``tell`` receives each step before it happens.

    ``converging``: whether the station converges after the last step. ``dsn`` is a database that ``prepare`` prepared, and
    cannot be used again.
    """
    began = time.monotonic()
    with World(dsn) as world:
        failure = _execute(world, steps, tell, converging=converging)
        return Result(failure, len(steps), world.runs, time.monotonic() - began)


def _execute(world: World, steps: Sequence[Step], tell: Callable[[str], None], *, converging: bool) -> Failure | None:
    for place, step in enumerate(steps):
        tell(f"{place} {step}")
        actions.execute(world, step)
        if step.kind in actions.OF_THE_PROGRAM and (problem := next(broken(world), "")):
            return Failure(place, problem)
    if not converging:
        return None
    tell(f"{len(steps)} faults end")
    problem = next(converge(world), "")
    return Failure(len(steps), problem) if problem else None
