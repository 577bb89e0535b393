"""The sensor that tells people: of runs and checks that failed, of what is late, and of what has recovered."""

import uuid
from datetime import UTC, datetime

import dagster as dg
import psycopg

from resources.postgres import Postgres
from resources.redaction import Redactor
from resources.sentry_post import SentryEvent, SentryPost, SentryPostError
from wxyc_assets.alerts.attending import Attendant, attend
from wxyc_assets.alerts.reading import scopes_of
from wxyc_assets.operator import Operator
from wxyc_assets.settings import IdentitySettings, RatingSettings

UNREACHABLE = ("wxyc_assets", "outbox", "database_unreachable")


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,  # it starts nothing, and what it does not tell, nobody does
    description=(
        "Keeps an alert for every failed check, failed run, late window and stale shard, tells Sentry of each once, also if "
        "Sentry was down at the time, and closes it when it has recovered. `wxyc alerts` lists them. It starts nothing."
    ),
)
def alerts(
    context: dg.SensorEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    operator: dg.ResourceParam[Operator],
    sentry_post: dg.ResourceParam[SentryPost | None],
    identity_settings: dg.ResourceParam[IdentitySettings],
    rating_settings: dg.ResourceParam[RatingSettings],
) -> dg.SensorResult:
    """One round; where the database of the outbox cannot be reached, Sentry is told that once an hour."""
    repository = context.repository_def
    attendant = Attendant(
        scopes=scopes_of(repository.assets_defs_by_key.values() if repository else ()),
        identity=identity_settings,
        rating=rating_settings,
        redact=Redactor(operator.secrets).plain,
        post=sentry_post,
        is_sensor=True,
    )
    try:
        with postgres.connect() as connection:
            done = attend(attendant, context.instance, connection)
    except psycopg.OperationalError as error:
        return _unattended(context, sentry_post, error)
    return dg.SensorResult(skip_reason=str(done))


def _unattended(
    context: dg.SensorEvaluationContext, post: SentryPost | None, error: psycopg.OperationalError
) -> dg.SensorResult:
    """Say that nobody keeps alerts now. The cursor remembers the hour in which Sentry was told."""
    at = datetime.now(UTC)
    hour = at.strftime("%Y-%m-%dT%H")
    told = context.cursor
    why = f"the database cannot be reached, so that no alert is kept: {error}"
    if post and told != hour:
        event = SentryEvent(
            event_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{UNREACHABLE} {hour}").hex,
            at=at,
            level="error",
            message=why,
            fingerprint=UNREACHABLE,
            tags={"source": "outbox", "kind": "unreachable", "alert": "raised"},
        )
        try:
            post.send(event)
            told = hour
        except SentryPostError as problem:
            why = f"{why}; {problem}"
    return dg.SensorResult(skip_reason=why, cursor=told)
