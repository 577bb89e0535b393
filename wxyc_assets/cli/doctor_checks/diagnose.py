"""Runs the checks of ``wxyc doctor``, and holds those that need no connection: settings, price file, Sentry."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from typing import TypeAlias

from resources.price_file import PriceFileError
from resources.sentry import SentryConfig, open_sentry
from resources.sentry_sender import SentrySender, SentrySendError
from wxyc_assets import factories
from wxyc_assets.assets.price_book.load import load_price_book
from wxyc_assets.cli.doctor_checks.alerts import check_alerts
from wxyc_assets.cli.doctor_checks.database import check_dagster_storage, check_database
from wxyc_assets.cli.doctor_checks.diagnosis import Context, Diagnosis, UnusableSettingsError
from wxyc_assets.cli.doctor_checks.home import check_home
from wxyc_assets.cli.doctor_checks.lml import check_lml
from wxyc_assets.cli.doctor_checks.other_writers import check_other_writers
from wxyc_assets.cli.doctor_checks.sandbox import has_no_billing, has_sandbox_billing
from wxyc_assets.database.billing import NO_BILLING
from wxyc_assets.monitoring.alerts.tick import send_check_in
from wxyc_assets.sandbox.sample import SAMPLE_PRICES
from wxyc_assets.settings import LmlSettings, RatingSettings, SentrySettings

Check: TypeAlias = Callable[[Context], Iterator[Diagnosis]]


def diagnose(environ: Mapping[str, str] | None = None, *, asks_sentry: bool = False) -> list[Diagnosis]:
    """Run every check and return what they found, in the order in which to correct it."""
    context = Context.load(environ, asks_sentry=asks_sentry)
    return [diagnosis for check in CHECKS for diagnosis in _run(check, context)]


def _run(check: Check, context: Context) -> Iterator[Diagnosis]:
    """Run a check, or skip it if it needs settings that cannot be used: check_settings reports those."""
    with suppress(UnusableSettingsError):
        yield from check(context)


def check_settings(context: Context) -> Iterator[Diagnosis]:
    """Report each setting that cannot be used."""
    for problem in context.problems:
        name, _, says = problem.partition(": ")
        yield Diagnosis(f"setting {name}", ok=False, says=says, advice=f"correct {name}; the README lists all settings")
    if context.ignored:
        yield Diagnosis(
            "variables of the cron jobs",
            ok=True,
            says=f"have no effect: {', '.join(context.ignored)}",
            advice="unset them; docs/migration.md says what replaces each",
        )
    if not context.problems:
        yield Diagnosis("settings", ok=True, says="all can be used")
        if warning := context.settings(LmlSettings).budget_warning:
            yield Diagnosis("budget", ok=True, says=warning, advice="set 50 less what the live callers need")


def check_price_file(context: Context) -> Iterator[Diagnosis]:
    """Check that usage can be rated with the price file, or with the sandbox's own."""
    path = context.settings(RatingSettings).price_file
    if not path and has_no_billing(context):
        yield Diagnosis("price file", ok=True, says=f"PRICE_FILE is not set, and not needed: {NO_BILLING}")
        return
    if not path and has_sandbox_billing(context):
        yield diagnose_sandbox_prices()
        return
    try:
        book = load_price_book(path)
    except PriceFileError as error:
        advice = "set PRICE_FILE to the file that finance keeps; `wxyc prices check FILE` lists every problem of one"
        yield Diagnosis("price file", ok=False, says=str(error), advice=advice)
    else:
        yield Diagnosis(
            "price file", ok=True, says=f"{len(book.priced)} models have a price, digest {book.digest[:12]}"
        )


def diagnose_sandbox_prices() -> Diagnosis:
    """Say what a sandbox station without a price file is rated with."""
    book = load_price_book(SAMPLE_PRICES)
    says = (
        "PRICE_FILE is not set: `wxyc demo` and `wxyc up` rate this sandbox station with the sandbox's prices "
        f"({len(book.priced)} models, digest {book.digest[:12]})"
    )
    return Diagnosis(
        "price file", ok=True, says=says, advice=f"for `wxyc run rated_usage`: set PRICE_FILE={SAMPLE_PRICES}"
    )


def check_sentry(context: Context) -> Iterator[Diagnosis]:
    """Check that Sentry's client accepts the DSN, and on request that Sentry accepts what is sent."""
    config = factories.sentry_config_from(context.settings(SentrySettings), context.secrets)
    try:
        sentry = open_sentry(config)
    except ValueError as error:
        yield Diagnosis("Sentry", ok=False, says=str(error), advice="copy the DSN anew from Sentry's project settings")
        return
    enabled = sentry.enabled
    sentry.close(timeout_s=0)
    if not enabled:
        yield Diagnosis("Sentry", ok=True, says="is not configured: nothing is sent")
    elif not context.asks_sentry:
        advice = "`wxyc doctor --sentry` sends it a check-in"
        yield Diagnosis("Sentry", ok=True, says="is configured; whether it accepts events was not asked", advice=advice)
    else:
        yield _asked_sentry(config)


def _asked_sentry(config: SentryConfig) -> Diagnosis:
    with closing(SentrySender(config)) as sender:
        try:
            monitor = send_check_in(sender)
        except SentrySendError as error:
            advice = "is SENTRY_DSN that of a project which exists, and may this machine reach it?"
            return Diagnosis("Sentry", ok=False, says=f"takes no events: {error}", advice=advice)
    return Diagnosis("Sentry", ok=True, says=f"accepted a check-in for its monitor {monitor}")


CHECKS: tuple[Check, ...] = (
    check_settings,
    check_home,
    check_database,
    check_dagster_storage,
    check_lml,
    check_price_file,
    check_sentry,
    check_alerts,
    check_other_writers,
)
