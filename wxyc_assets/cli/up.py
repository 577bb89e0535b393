"""``wxyc up``: starts the Dagster UI and daemon."""

import click

from wxyc_assets.cli.outcome import Outcome, Output


@click.command("up", short_help="Open the Dagster UI; Ctrl-C stops all.")
@click.option("--port", default=3000, show_default=True, help="Port of the UI on 127.0.0.1; 0 picks a free one.")
@click.option("--lml-port", default=8081, show_default=True, help="Port of the sandbox LML; 0 picks a free one.")
@click.pass_obj
def command(output: Output, port: int, lml_port: int) -> Outcome:
    """Start the Dagster UI and daemon, and everything they need that is not configured.

    Without settings that is the embedded PostgreSQL with the sample station, and the sandbox LML. The printed object has their
    addresses, once the graph is loaded. Ctrl-C stops what the command started; so do SIGTERM, a closed terminal and kill -9.

    A process that ends is started again: PostgreSQL, the webserver, the daemon. One `wxyc up` runs on a WXYC_HOME at a time.
    """
    from wxyc_assets.cli.services.serve import serve

    serve(output, port=port, lml_port=lml_port)
    return Outcome()
