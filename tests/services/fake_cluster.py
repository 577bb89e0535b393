"""A stand-in for a Kubernetes cluster: the API that Dagster's launcher asks, and pods that are processes of this machine."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.services.topology import Here, entrypoint

JOBS = "/apis/batch/v1/namespaces/{namespace}/jobs"


@dataclass
class Cluster:
    """Starts the container of every job that is created.

    ``secrets`` has the environment of each Secret by its name. What a job says is of this machine already, because the instance
    is that it comes from.
    """

    here: Here
    secrets: Mapping[str, Mapping[str, str]]
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    port: int = 0

    @contextmanager
    def serving(self) -> Iterator["Cluster"]:
        """Serve the API on loopback; end what is left of the pods."""
        app = Starlette(
            routes=[
                Route(JOBS, self._create, methods=["POST"]),
                Route(f"{JOBS}/{{name}}/status", self._status),
                Route(f"{JOBS}/{{name}}", self._delete, methods=["DELETE"]),
            ]
        )
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
            thread = threading.Thread(target=server.run, args=[[listener]], daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.should_exit = True
                thread.join(20)
                for process in self.processes.values():
                    with suppress(ProcessLookupError):
                        os.killpg(process.pid, signal.SIGKILL)
                    process.wait()

    def kubeconfig(self) -> Path:
        """Write how the API is reached, as outside of a cluster."""
        path = self.here.folder / "kubeconfig"
        server = {"server": f"http://127.0.0.1:{self.port}"}
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "here", "cluster": server}],
                    "users": [{"name": "me", "user": {}}],
                    "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
                    "current-context": "here",
                }
            )
        )
        return path

    def pods(self, component: str) -> list[dict[str, Any]]:
        """The pods of one kind, ``run_worker`` or ``step_worker``, as their jobs have them."""
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

    def _start(self, name: str, container: Mapping[str, Any]) -> subprocess.Popen[bytes]:
        with (self.here.folder / "logs" / f"{name}.log").open("wb") as output:
            return subprocess.Popen(
                [*map(self.here.text, entrypoint()), *container["args"]],
                cwd=self.here.folder,
                env=self.here.environ(self.environment(container)),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def environment(self, container: Mapping[str, Any]) -> dict[str, str]:
        """What a container is given by its Secrets, and in words of its own."""
        given = {}
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
