"""``wxyc sandbox``: the parts of a sample station, one by one."""

from typing import IO

import click

from wxyc_assets.cli.outcome import Outcome


@click.group("sandbox", short_help="The sample station's tables, and an LML that can misbehave.")
def command() -> None:
    """Make the parts of a sample station. `wxyc demo` and `wxyc up` do all of this by themselves."""


@command.command("create", short_help="The station's tables, with the sample catalogue.")
@click.option("--empty", is_flag=True, help="Only the tables.")
def create(empty: bool) -> Outcome:
    """Make the station's tables in DATABASE_URL (unset: the embedded PostgreSQL), and load a few hundred real albums.

    A station that is there already is left as it is.
    """
    from dataclasses import asdict

    from wxyc_assets.cli.station import create_station

    return Outcome(asdict(create_station(sample=not empty)))


@command.command("lml", short_help="A local LML with faults on request.")
@click.option("--port", default=8081, show_default=True, help="Port on 127.0.0.1; 0 picks a free one.")
@click.option("--api-key", default="sandbox-key", show_default=True, help="The bearer key that it accepts.")
@click.option("--latency-ms", default=0.0, show_default=True, help="How long each answer takes at least.")
@click.pass_obj
def lml(stdout: IO[str], port: int, api_key: str, latency_ms: float) -> Outcome:
    """Serve an LML on this machine until Ctrl-C.

    It keeps to the contract: auth, caps, status codes, a simulated Discogs of 50 calls a minute. POST /sandbox/faults makes it
    misbehave, GET /sandbox/state shows what it sees.
    """
    from wxyc_assets.cli.outcome import CannotError
    from wxyc_assets.cli.program import print_object
    from wxyc_assets.sandbox.lml.server import serve

    def ready(url: str) -> None:
        print_object({"LIBRARY_METADATA_URL": url, "LML_API_KEY": api_key}, stdout)
        click.echo(f"the sandbox LML is at {url}; Ctrl-C stops it", err=True)

    try:
        serve(port, api_key=api_key, latency_ms=latency_ms, on_ready=ready)
    except OSError as error:
        raise CannotError(f"port {port} cannot be used ({error.strerror}): choose another with --port") from error
    return Outcome()
