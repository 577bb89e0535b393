"""``wxyc up``: the Dagster UI and daemon."""

from typing import IO

import click

from wxyc_assets.cli.outcome import Outcome


@click.command("up", short_help="The Dagster UI on the sandbox station, or on the configured one; Ctrl-C stops all.")
@click.option("--port", default=3000, show_default=True, help="Port of the UI on 127.0.0.1.")
@click.option("--lml-port", default=8081, show_default=True, help="Port of the sandbox LML; 0 picks a free one.")
@click.pass_obj
def command(stdout: IO[str], port: int, lml_port: int) -> Outcome:
    """Start the Dagster UI and daemon, and everything they need that is not configured.

    Without settings that is the embedded PostgreSQL with the sample station, and the sandbox LML. The object that is printed
    names their addresses. Ctrl-C stops what was started.
    """
    from wxyc_assets.cli.services import serve

    serve(stdout, port=port, lml_port=lml_port)
    return Outcome()
