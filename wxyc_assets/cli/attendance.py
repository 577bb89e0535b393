"""What the command line does for the alerts once its runs have ended: what the sensor does, without waiting for it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext

import click
import dagster as dg
import psycopg

from resources.postgres import Postgres
from resources.redaction import Redactor
from wxyc_assets import wiring
from wxyc_assets.alerts.attending import Attendant, attend
from wxyc_assets.alerts.reading import scopes_of
from wxyc_assets.cli.instance import STORAGE_GONE
from wxyc_assets.revision import MigrationError
from wxyc_assets.settings import IdentitySettings, RatingSettings, load

IN_THE_WAY = (psycopg.Error, MigrationError, *STORAGE_GONE)


@contextmanager
def attended(instance: dg.DagsterInstance, postgres: Postgres, definitions: dg.Definitions) -> Iterator[None]:
    """Take note of what runs of the block have ended, however it ends. What cannot be done now, the sensor does later."""
    try:
        yield
    finally:
        try:
            _attend(instance, postgres, definitions)
        except IN_THE_WAY as error:
            click.echo(f"wxyc: no alert is kept now, the sensor alerts does it later: {error}", err=True)


def _attend(instance: dg.DagsterInstance, postgres: Postgres, definitions: dg.Definitions) -> None:
    post = wiring.open_sentry_post()
    attendant = Attendant(
        scopes=scopes_of(definitions.get_repository_def().assets_defs_by_key.values()),
        identity=load(IdentitySettings),
        rating=load(RatingSettings),
        redact=Redactor(wiring.Secrets.of().texts).plain,
        post=post,
    )
    with closing(post) if post else nullcontext(), postgres.connect() as connection:
        done = attend(attendant, instance, connection)
    if done.problem:
        click.echo(f"wxyc: alerts are kept and not told yet, the sensor alerts does it later: {done.problem}", err=True)
