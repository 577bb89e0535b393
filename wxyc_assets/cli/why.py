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


ID = click.IntRange(-(2**31), 2**31 - 1)
"""An id of the station's table ``library``."""


@command.command("library", short_help="Where an album's identity comes from.")
@click.argument("library_id", metavar="ID", type=ID)
def library(library_id: int) -> Outcome:
    """Explain the identity of album ID: who decided it, when, and what it replaced.

    Prints the identity with its method and external ids, the run, batch and digest of LML's answer that it comes from, every
    identity that it replaced, LML's answers about the album, its failures, and until when it rests. Changes nothing.
    """
    from wxyc_assets.assets.library_identity.explain import explain
    from wxyc_assets.cli.schema_session import schema_session
    from wxyc_assets.settings import IdentitySettings, load

    settings = load(IdentitySettings)
    with schema_session() as connection:
        explanation = explain(
            connection, library_id, stale_after=settings.stale_after, retry_after=settings.retry_after
        )
    if explanation.is_empty:
        raise CannotError(f"the library has no album {library_id}, and no run has asked about one")
    return Outcome(explanation.as_json(), lines=list(explanation.lines()))


@command.command("album", short_help="Where an album's metadata comes from.")
@click.argument("album_id", metavar="ID", type=ID)
def album(album_id: int) -> Outcome:
    """Explain the metadata of album ID: which answer of LML it comes from, and what it replaced.

    Prints the row of album_metadata, the run, batch and digest of LML's answer that it comes from, what each write replaced,
    LML's answers about the album, its failures, and until when it rests. Changes nothing.
    """
    from wxyc_assets.assets.album_metadata.explain import explain
    from wxyc_assets.cli.schema_session import schema_session
    from wxyc_assets.settings import IdentitySettings, load

    settings = load(IdentitySettings)
    with schema_session() as connection:
        explanation = explain(connection, album_id, retry_after=settings.retry_after)
    if explanation.is_empty:
        raise CannotError(f"the library has no album {album_id}, and no run has asked about one")
    return Outcome(explanation.as_json(), lines=list(explanation.lines()))
