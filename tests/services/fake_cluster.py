"""A fake Kubernetes cluster: the API that Dagster's launcher calls, and pods that are processes of this machine."""

import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.processes import running
from tests.services.deployment import LocalMachine, entrypoint

JOBS = "/apis/batch/v1/namespaces/{namespace}/jobs"


@dataclass
class FakeCluster:
    """Starts the container of each new job as a process.

    ``secrets`` has the environment of each Secret by its name. The words of a job are adapted to this machine already,
    because those of its instance are.
    """

    machine: LocalMachine
    secrets: Mapping[str, Mapping[str, str]]
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    port: int = 0
    _exits: ExitStack = field(default_factory=ExitStack)

    @contextmanager
    def serving(self) -> Iterator["FakeCluster"]:
        """Serve the API on loopback. The processes of all pods end with the block."""
        app = Starlette(
            routes=[
                Route(JOBS, self._create, methods=["POST"]),
                Route(f"{JOBS}/{{name}}/status", self._status),
                Route(f"{JOBS}/{{name}}", self._delete, methods=["DELETE"]),
            ]
        )
        with ExitStack() as self._exits, socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
            thread = threading.Thread(target=server.run, args=[[listener]], daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.should_exit = True
                thread.join(60)

    def kubeconfig(self) -> Path:
        """Write a configuration that reaches the API from outside of the cluster."""
        path = self.machine.folder / "kubeconfig"
        server = {"server": f"http://127.0.0.1:{self.port}"}
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "local", "cluster": server}],
                    "users": [{"name": "me", "user": {}}],
                    "contexts": [{"name": "local", "context": {"cluster": "local", "user": "me"}}],
                    "current-context": "local",
                }
            )
        )
        return path

    def pods(self, component: str) -> list[dict[str, Any]]:
        """The pods of one component, ``run_worker`` or ``step_worker``, as in their jobs."""
        label = "app.kubernetes.io/component"
        return [
            job["spec"]["template"]["spec"]
            for job in self.jobs.values()
            if job["metadata"]["labels"][label] == component
        ]

    async def _create(self, request: Request) -> JSONResponse:
        job = await request.json()
        name = job["metadata"]["name"]
        self.jobs[name] = job
        self.processes[name] = self._start(name, job["spec"]["template"]["spec"]["containers"][0])
        return JSONResponse(job, status_code=201)

    def _start(self, name: str, container: Mapping[str, Any]) -> "subprocess.Popen[bytes]":
        with (self.machine.folder / "logs" / f"{name}.log").open("wb") as output:
            return self._exits.enter_context(
                running(
                    [*map(self.machine.text, entrypoint()), *container["args"]],
                    cwd=self.machine.folder,
                    env=self.machine.environ(self.environment(container)),
                    stdout=output,
                    stderr=output,
                )
            )

    def environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        """The variables of a container, from its Secrets and its own values."""
        given: dict[str, str] = {}
        for source in container.get("envFrom") or ():
            given |= self.secrets[source["secretRef"]["name"]]
        for one in container["env"]:
            reference = (one.get("valueFrom") or {}).get("secretKeyRef")
            given[one["name"]] = (
                self.secrets[reference["name"]][reference["key"]] if reference else one.get("value") or ""
            )
        return given

    async def _status(self, request: Request) -> JSONResponse:
        name = request.path_params["name"]
        if name not in self.jobs:
            return JSONResponse({"kind": "Status", "code": 404}, status_code=404)
        code = self.processes[name].poll()
        counts = {"active": 1} if code is None else {"succeeded": 1} if code == 0 else {"failed": 1}
        return JSONResponse({**self.jobs[name], "status": counts})

    async def _delete(self, request: Request) -> JSONResponse:
        process = self.processes[request.path_params["name"]]
        process.terminate()
        return JSONResponse({"kind": "Status", "status": "Success"})
