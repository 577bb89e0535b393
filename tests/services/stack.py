"""Starts and stops the services as processes; each is in a session of its own, as each container has its own processes."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

from tests.processes import processes_of, running
from tests.services.deployment import LocalMachine, Service
from tests.waiting import wait_for

TIMEOUT_S = 600.0
"""How long a test waits for the services; on an idle machine every wait takes less than a minute."""


class Stack:
    """Services in their start order; ``logs`` has the output of each. ``exits`` ends their processes."""

    def __init__(self, services: Mapping[str, Service], machine: LocalMachine, exits: ExitStack) -> None:
        self.machine = machine
        self.services = services
        self.logs = machine.folder / "logs"
        self.healthy: set[str] = set()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.sessions: list[int] = []
        self._exits = exits

    def up(self, *names: str) -> None:
        """Start services, each when its dependencies are ready, and wait until all of them are healthy."""
        for name in names or self.services:
            service = self.services[name]
            for other, condition in service.depends_on.items():
                if condition == "service_healthy":
                    self._wait_until_healthy(self.services[other])
                else:
                    assert self.running[other].wait(TIMEOUT_S) == 0, self.log(other)
            self.start(name)
        for name in names or self.services:
            if self.services[name].check:
                self._wait_until_healthy(self.services[name])

    def start(self, name: str) -> None:
        """Start a service without waiting for its dependencies."""
        self.healthy.discard(name)
        service = self.services[name]
        self.running[name] = self._exits.enter_context(self._process(service.command, service, name))
        self.sessions.append(self.running[name].pid)

    def stop(self, name: str) -> int:
        """Send SIGTERM to a service, as Compose does to a container's first process; return its exit code."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(TIMEOUT_S)

    def kill(self, name: str) -> None:
        """Kill a service and all its processes at once, as when a container dies."""
        process = self.running.pop(name)
        for pid in processes_of(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(TIMEOUT_S)

    def down(self) -> dict[str, int]:
        """Stop the running services in Compose's order, the last started first. Return the exit codes."""
        return {name: self.stop(name) for name in reversed(list(self.running))}

    def remaining(self) -> list[int]:
        """The living processes of all services that were ever started."""
        return [pid for session in self.sessions for pid in processes_of(session)]

    def log(self, name: str) -> str:
        """The output of a service."""
        return (self.logs / f"{name}.log").read_text()

    @contextmanager
    def _process(self, command: list[str], service: Service, log: str) -> Iterator["subprocess.Popen[bytes]"]:
        with (
            (self.logs / f"{log}.log").open("ab") as output,
            running(
                command,
                cwd=self.machine.folder,
                env=service.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            ) as process,
        ):
            yield process

    def _wait_until_healthy(self, service: Service) -> None:
        if service.name in self.healthy:
            return

        def healthy() -> bool:
            assert self.running[service.name].poll() is None, self.log(service.name)
            with self._process(service.check, service, f"{service.name}-health") as check:
                return check.wait(TIMEOUT_S) == 0

        wait_for(healthy, f"healthy {service.name}", TIMEOUT_S)
        self.healthy.add(service.name)


@contextmanager
def stack(services: Mapping[str, Service], machine: LocalMachine) -> Iterator[Stack]:
    """A stack that is not started yet. All its processes end with the block."""
    with ExitStack() as exits:
        yield Stack(services, machine, exits)
