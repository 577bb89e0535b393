"""Dagster's program ``dagster-webserver`` with all its options and the guard before its server, for the services of deploy/."""

import uvicorn
from dagster._core.workspace.context import IWorkspaceProcessContext
from dagster_webserver import cli
from dagster_webserver.app import create_app_from_workspace_process_context

from wxyc_assets.cli.services.guard import Guard, own_hosts, own_origins
from wxyc_assets.settings import UiSettings, load


def main() -> None:
    """Run the program; the settings of the UI say under which names browsers reach it."""
    settings = load(UiSettings)

    def serve(
        workspace_process_context: IWorkspaceProcessContext,
        host: str | None,
        port: int | None,
        path_prefix: str,
        log_level: str,
        live_data_poll_rate: int | None = None,
    ) -> None:
        port = port or cli.DEFAULT_WEBSERVER_PORT
        app = create_app_from_workspace_process_context(
            workspace_process_context,
            path_prefix,
            live_data_poll_rate,
            lifespan=cli._lifespan,  # noqa: SLF001 - it lets SIGTERM end the server
        )
        guard = Guard(app, own_hosts(port) | settings.hosts, own_origins(port) | settings.origins)
        uvicorn.run(guard, host=host or "127.0.0.1", port=port, log_level=log_level, proxy_headers=False)

    cli.host_dagster_ui_with_workspace_process_context = serve
    cli.cli()
