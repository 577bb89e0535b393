"""``wxyc why``: explains a number."""

from datetime import UTC, datetime

import click

from wxyc_assets.cli.outcome import CannotError, Outcome


@click.group("why", short_help="Explain a number.", no_args_is_help=True)
def command() -> None:
    """Explain how a number came to be what it is."""


EXAMPLE_HOUR = "such as 2026-06-08T10:00:00Z"

EXAMPLE = """\b
Example:
  wxyc why usage --auth key-dj-tools --hour 2026-06-08T10:00:00Z
"""


@command.command("usage", short_help="Why a customer is billed what for an hour.", epilog=EXAMPLE)
@click.option("--auth", "auth_id", required=True, metavar="A", help="The customer: auth_id of the events.")
@click.option("--hour", required=True, metavar="H", help="The UTC hour: 2026-06-08T10:00:00Z, or a partition's key.")
def usage(auth_id: str, hour: str) -> Outcome:
    """Explain what customer A is billed for hour H.

    Prints the billed rows with their tokens, rates and sums, the events that are there now, every change that led to the rows
    with the run, its origin and the digest of its price file, and the runs that rated the hour. Changes nothing.
    """
    from wxyc_assets.assets.rated_usage.explain import explain
    from wxyc_assets.cli.customers import require_customer
    from wxyc_assets.cli.schema_session import billing_session
    from wxyc_assets.runs.partitions import WindowError, hour_of

    try:
        instant = hour_of(hour)
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    if instant > datetime.now(UTC):
        raise CannotError(
            f"the hour {hour} has not begun yet: it can hold no usage. Ask for one that has, {EXAMPLE_HOUR}"
        )
    with billing_session() as connection:
        explanation = explain(connection, auth_id, instant)
        if explanation.is_empty:
            require_customer(connection, auth_id)
    return Outcome(explanation.as_json(), lines=explanation.lines())
