"""``wxyc sandbox``: makes the parts of a sample station one by one."""

import click

from wxyc_assets.cli.outcome import Outcome, Output


@click.group("sandbox", short_help="Make the sample station's tables, or start an LML with faults on request.")
def command() -> None:
    """Make the parts of a sample station one by one. `wxyc demo` and `wxyc up` make all of them."""


@command.command("create", short_help="Make the station's tables.")
@click.option("--empty", is_flag=True, help="Make the tables without the sample.")
def create(empty: bool) -> Outcome:
    """Make the station's tables in DATABASE_URL (unset: the embedded PostgreSQL), and load a few hundred real albums.

    Leaves an existing station as it is.
    """
    from dataclasses import asdict

    from wxyc_assets.cli.station import create_station

    report = create_station(sample=not empty)
    made = "made the station's tables" if report.created else "the station's tables exist already and stay as they are"
    rows = ", ".join(f"{table} {count}" for table, count in report.rows.items())
    return Outcome(asdict(report), lines=[made, f"rows: {rows}"])


@command.command("lml", short_help="A local LML with faults on request.")
@click.option("--port", default=8081, show_default=True, help="Port on 127.0.0.1; 0 picks a free one.")
@click.option("--api-key", metavar="KEY", default="sandbox-key", show_default=True, help="Bearer key that it accepts.")
@click.option("--latency-ms", default=0.0, show_default=True, help="Minimum time of each answer.")
@click.option("--tracks", is_flag=True, help="Send the tracks of compilations; today's LML sends none.")
@click.pass_obj
def lml(output: Output, port: int, api_key: str, latency_ms: float, tracks: bool) -> Outcome:
    """Serve an LML on this machine until Ctrl-C.

    It follows the contract: auth, caps, status codes, a simulated Discogs of 50 calls a minute. POST /sandbox/faults makes it
    answer with faults, POST /sandbox/breaker sets its breaker. GET /sandbox/state shows its requests and its state.
    """
    from wxyc_assets.cli.services import ports
    from wxyc_assets.sandbox.lml.server import serve

    def ready(url: str) -> None:
        line = f"the sandbox LML is at {url}, its key is {api_key}; Ctrl-C stops it"
        output.print(Outcome({"LIBRARY_METADATA_URL": url, "LML_API_KEY": api_key}, lines=[line], shows=[api_key]))

    ports.require_port(port, "--port")
    try:
        serve(port, api_key=api_key, latency_ms=latency_ms, tracks=tracks, on_ready=ready)
    except OSError as error:
        raise ports.taken(port, "--port", error) from error
    return Outcome()
