"""Turns settings into the plain objects that runs work with. Read when a run starts, never when code is loaded."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from resources.budget import PostgresBudget
from resources.lml.capture import Capture
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.lml.endpoints import REFRESH
from resources.postgres import Postgres
from resources.sentry import Sentry, SentryConfig, open_sentry
from resources.sentry_post import SentryPost
from resources.step_log import StepLog
from wxyc_assets.settings import (
    LmlSettings,
    RotationSettings,
    SentrySettings,
    SettingsError,
    load,
    secret_texts,
)

Environ = Mapping[str, str] | None


@dataclass(frozen=True)
class Secrets:
    """Every string of the environment that must not be seen anywhere."""

    texts: tuple[str, ...]

    @classmethod
    def of(cls, environ: Environ = None) -> "Secrets":
        """Collect them, also from settings that cannot be used: a secret beside a mistake is still a secret."""
        found = [part for text in secret_texts(environ) for part in _parts(text)]
        return cls(tuple(dict.fromkeys(found)))


def _parts(secret: str) -> list[str]:
    """A URL is secret in its passwords only, as written and as sent: host and database are what an operator needs to see."""
    if "://" not in secret:
        return [secret]
    try:
        parts = urlsplit(secret)
        in_query = [value for name, value in parse_qsl(parts.query) if name in {"password", "sslpassword"}]
    except ValueError:
        return [secret]
    passwords = [parts.password, *in_query]
    return [
        form for password in passwords if password for form in (password, unquote(password), quote(password, safe=""))
    ]


def open_sentry_from(environ: Environ = None) -> Sentry:
    """Return Sentry as configured; without a DSN it does nothing."""
    return open_sentry(_sentry_config(environ))


def open_sentry_post(environ: Environ = None) -> SentryPost | None:
    """Return what takes alerts to Sentry; None without a DSN."""
    config = _sentry_config(environ)
    return SentryPost(config) if config.dsn else None


def _sentry_config(environ: Environ) -> SentryConfig:
    settings = load(SentrySettings, environ)
    return SentryConfig(
        dsn=settings.dsn.get_secret_value() if settings.dsn else None,
        environment=settings.environment,
        release=settings.release,
        traces_sample_rate=settings.traces_sample_rate,
        secrets=Secrets.of(environ).texts,
    )


def lml_config(environ: Environ = None) -> LmlConfig:
    """Return how LML is reached; raises SettingsError when it is not configured."""
    settings = load(LmlSettings, environ)
    if not settings.base_url:
        raise SettingsError(
            [
                (
                    "LIBRARY_METADATA_URL: is not set. `wxyc up` prints the settings of its sandbox LML, "
                    "`wxyc sandbox lml` starts one; or name your LML and its LML_API_KEY"
                )
            ]
        )
    try:
        return LmlConfig(
            base_url=settings.base_url,
            api_key=settings.api_key,
            cost_lookup_item=settings.cost_lookup_item,
            cost_refresh_id=settings.cost_refresh_id,
            timeouts_s={REFRESH.name: load(RotationSettings, environ).batch_timeout_ms / 1000},
        )
    except ValueError as error:
        raise SettingsError([str(error)]) from None


@contextmanager
def open_lml(postgres: Postgres, sentry: Sentry, log: StepLog, environ: Environ = None) -> Iterator[LmlClient]:
    """Yield a client of LML that reserves from the station's budget, reports its spans, and captures if configured."""
    settings = load(LmlSettings, environ)
    config = lml_config(environ)
    if settings.budget_warning:
        log.warning("budget_above_cap", message=settings.budget_warning)
    with ExitStack() as stack:
        budget = PostgresBudget(postgres.open, per_minute=settings.discogs_budget_per_min)
        stack.callback(budget.close)
        capture = None
        if settings.capture_sample_rate:
            capture = Capture(postgres.open, sample_rate=settings.capture_sample_rate, warn=log.warning)
            stack.callback(capture.close)
        yield stack.enter_context(LmlClient(config, budget=budget, capture=capture, span=sentry.span))
