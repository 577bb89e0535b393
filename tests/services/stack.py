"""Starts and stops the services as processes; each is a session of its own, as each container has processes of its own."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

from tests.services.topology import Here, Service

READY_S = 120.0
STOP_S = 60.0


class Stack:
    """Services in the order in which they are started; ``logs`` has what each says."""

    def __init__(self, services: Mapping[str, Service], here: Here) -> None:
        self.here = here
        self.services = services
        self.logs = here.folder / "logs"
        self.healthy: set[str] = set()
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.sessions: list[int] = []

    def up(self, *names: str) -> None:
        """Start services, each once what it waits for is there, and wait until all of them are healthy."""
        for name in names or self.services:
            service = self.services[name]
            for other, condition in service.waits_for.items():
                if condition == "service_healthy":
                    self._wait_until_healthy(self.services[other])
                else:
                    assert self.running[other].wait(READY_S) == 0, self.log(other)
            self.start(name)
        for name in names or self.services:
            if self.services[name].check:
                self._wait_until_healthy(self.services[name])

    def start(self, name: str) -> None:
        """Start a service, whatever it may miss."""
        self.healthy.discard(name)
        self.running[name] = self._start(self.services[name].command, self.services[name], name)
        self.sessions.append(self.running[name].pid)

    def stop(self, name: str, within_s: float = STOP_S) -> int:
        """Tell a service to stop, as a container's first process is told; return its exit code."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(within_s)

    def kill(self, name: str) -> None:
        """Let a service die as a container dies: it, and everything in it, at once."""
        process = self.running.pop(name)
        for pid in processes_of(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait(STOP_S)

    def down(self) -> dict[str, int]:
        """Stop what runs in the order in which Compose does: the last that was started first. Return the exit codes."""
        return {name: self.stop(name) for name in reversed(list(self.running))}

    def left(self) -> list[int]:
        """The processes that are left of everything that was ever started."""
        return [pid for session in self.sessions for pid in processes_of(session)]

    def log(self, name: str) -> str:
        """What a service said."""
        return (self.logs / f"{name}.log").read_text()

    def _start(self, command: list[str], service: Service, log: str) -> subprocess.Popen[bytes]:
        with (self.logs / f"{log}.log").open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=self.here.folder,
                env=service.environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def _wait_until_healthy(self, service: Service) -> None:
        if service.name in self.healthy:
            return

        def healthy() -> bool:
            assert self.running[service.name].poll() is None, self.log(service.name)
            return self._start(service.check, service, f"{service.name}-health").wait(READY_S) == 0

        until(healthy, within_s=READY_S, what=f"{service.name} healthy")
        self.healthy.add(service.name)


@contextmanager
def stack(services: Mapping[str, Service], here: Here) -> Iterator[Stack]:
    """A stack, not yet started, of which nothing is left in the end, however the test ends."""
    started = Stack(services, here)
    try:
        yield started
    finally:
        for name in list(started.running):
            started.kill(name)
        deadline = time.monotonic() + STOP_S
        while left := started.left():
            assert time.monotonic() < deadline, f"processes {left} cannot be killed"
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)


def processes_of(session: int) -> list[int]:
    """Return the processes of a session that have not ended."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,stat=", "--sid", str(session)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid, stat in map(str.split, listed.stdout.splitlines()) if not stat.startswith("Z")]


def until(true: Callable[[], object], *, within_s: float, what: str) -> None:
    """Wait for something to come true."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s: {what}"
        time.sleep(0.25)
