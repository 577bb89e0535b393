"""Runs Dagster's webserver on a socket that ``wxyc up`` has opened, behind the guard."""

import socket

import dagster as dg
import uvicorn
from dagster._cli.workspace.cli_target import workspace_opts_to_load_target
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._utils.interrupts import setup_interrupt_handlers
from dagster._utils.log import configure_loggers
from dagster_shared.cli import WorkspaceOpts
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.cli import (
    DEFAULT_DB_STATEMENT_TIMEOUT,
    DEFAULT_POOL_MAX_OVERFLOW,
    DEFAULT_POOL_RECYCLE,
)
from dagster_webserver.version import __version__

from wxyc_assets.cli.services.guard import Guard, own_hosts, own_origins

OPEN_TABS_S = 2
"""Time for the open connections of browsers to end; a tab never ends its websocket by itself."""


def serve(workspace: str, descriptor: int) -> None:
    """Serve the Dagster UI on an open socket until SIGTERM."""
    configure_loggers(formatter="colored", log_level="INFO")
    setup_interrupt_handlers()
    listener = socket.socket(fileno=descriptor)
    with dg.DagsterInstance.get() as instance:
        instance.optimize_for_webserver(DEFAULT_DB_STATEMENT_TIMEOUT, DEFAULT_POOL_RECYCLE, DEFAULT_POOL_MAX_OVERFLOW)
        target = workspace_opts_to_load_target(WorkspaceOpts(workspace=[workspace]))
        with WorkspaceProcessContext(instance, version=__version__, workspace_load_target=target) as context:
            app = create_app_from_workspace_process_context(context, "", live_data_poll_rate=2000)
            port = listener.getsockname()[1]
            config = uvicorn.Config(
                Guard(app, own_hosts(port), own_origins(port)),
                log_level="warning",
                proxy_headers=False,
                timeout_graceful_shutdown=OPEN_TABS_S,
            )
            uvicorn.Server(config).run([listener])
