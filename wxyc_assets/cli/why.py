"""``wxyc why``: the story of a number."""

import click

from wxyc_assets.cli.outcome import Outcome


@click.group("why", short_help="The story of a number.", no_args_is_help=True)
def command() -> None:
    """Tell how a number came to be what it is."""


@command.command("usage", short_help="What a customer is billed for an hour, and why.")
@click.option("--auth", "auth_id", required=True, metavar="A", help="The customer: auth_id of the events.")
@click.option("--hour", required=True, metavar="H", help="The UTC hour: 2026-06-08T10:00:00Z, or a partition's key.")
def usage(auth_id: str, hour: str) -> Outcome:
    r"""Tell what customer A is billed for hour H.

    \b
    Example:
      wxyc why usage --auth key-dj-tools --hour 2026-06-08T10:00:00Z

    Prints the billed rows with their tokens, rates and sums, the events that are there now, every change that led to the rows
    with the run, its origin and the digest of its price file, and the runs that rated the hour. Nothing is changed.
    """
    from wxyc_assets.cli.our_schema import reading
    from wxyc_assets.rated_usage.story import tell
    from wxyc_assets.rated_usage.windows import WindowError, hour_of

    try:
        instant = hour_of(hour)
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    with reading() as connection:
        story = tell(connection, auth_id, instant)
    return Outcome(story.printed(), closing=story.told())
