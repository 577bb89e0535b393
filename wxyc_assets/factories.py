"""Factories: settings into the plain objects that runs work with, when a run starts and never when code is loaded."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

from resources.budget import PostgresBudget
from resources.lml.capture import Capture
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.lml.endpoints import REFRESH
from resources.postgres import Postgres
from resources.secrets import Secrets
from resources.sentry import Sentry, SentryConfig, open_sentry
from resources.sentry_sender import SentrySender
from resources.step_log import StepLog
from wxyc_assets.runs.progress import Progress
from wxyc_assets.settings import LmlSettings, RotationSettings, SentrySettings, SettingsError, load

Environ = Mapping[str, str] | None

CONFIGURE_SANDBOX_LML = "`wxyc up` prints the settings of its sandbox LML, `wxyc sandbox lml` starts one"
CONFIGURE_LML = f"{CONFIGURE_SANDBOX_LML}; or name your LML and its LML_API_KEY"


def open_sentry_from(environ: Environ = None) -> Sentry:
    """Return the Sentry client as configured; without a DSN it sends nothing."""
    return open_sentry(_sentry_config(environ))


def open_sentry_sender(environ: Environ = None) -> SentrySender | None:
    """Return the client that sends alerts to Sentry; None without a DSN."""
    config = _sentry_config(environ)
    return SentrySender(config) if config.dsn else None


def _sentry_config(environ: Environ) -> SentryConfig:
    return sentry_config_from(load(SentrySettings, environ), Secrets.of(environ))


def sentry_config_from(settings: SentrySettings, secrets: Secrets) -> SentryConfig:
    """Return how Sentry is reached, and what it must never be sent."""
    return SentryConfig(
        dsn=settings.dsn.get_secret_value() if settings.dsn else None,
        environment=settings.environment,
        release=settings.release,
        traces_sample_rate=settings.traces_sample_rate,
        secrets=secrets.texts,
    )


def lml_config(environ: Environ = None) -> LmlConfig:
    """Return the configuration of the LML client; raises SettingsError if LML is not configured."""
    return lml_config_from(load(LmlSettings, environ), load(RotationSettings, environ))


def lml_config_from(lml: LmlSettings, rotation: RotationSettings) -> LmlConfig:
    """Return the configuration of the client; raises SettingsError if ``lml`` has no URL, or a key that HTTP cannot carry."""
    if not lml.base_url:
        raise SettingsError([f"LIBRARY_METADATA_URL: is not set. {CONFIGURE_LML}"])
    try:
        return LmlConfig(
            base_url=lml.base_url,
            api_key=lml.api_key,
            cost_lookup_item=lml.cost_lookup_item,
            cost_refresh_id=lml.cost_refresh_id,
            timeouts_s={REFRESH.name: rotation.batch_timeout_ms / 1000},
        )
    except ValueError as error:
        raise SettingsError([str(error)]) from None


@contextmanager
def open_lml(
    postgres: Postgres,
    billing: Postgres,
    sentry: Sentry,
    log: StepLog,
    progress: Progress,
    environ: Environ = None,
) -> Iterator[LmlClient]:
    """Yield an LML client that reserves from the station's budget, sends spans, and captures request bodies if configured.

    They go to the database of the billing tables, which has ``io_log``. ``progress`` shows each wait for the budget.
    """
    settings = load(LmlSettings, environ)
    config = lml_config(environ)
    if settings.budget_warning:
        log.warning("budget_above_cap", message=settings.budget_warning)
    with ExitStack() as stack:
        budget = PostgresBudget(postgres.open, per_minute=settings.discogs_budget_per_min)
        stack.callback(budget.close)
        capture = None
        if settings.capture_sample_rate:
            capture = Capture(billing.open, sample_rate=settings.capture_sample_rate, warn=log.warning)
            stack.callback(capture.close)
        yield stack.enter_context(
            LmlClient(
                config,
                budget=budget,
                capture=capture,
                span=sentry.span,
                on_budget_wait=partial(progress.wait, "for the Discogs budget"),
            )
        )
