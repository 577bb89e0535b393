"""Checks LML: that it answers, accepts the key, and is recent enough for the deploy gate."""

from collections.abc import Iterator

from resources.deploy_gate.gate import DeployGate
from resources.deploy_gate.github import GitHub
from resources.lml.client import LmlClient
from resources.lml.errors import LmlAuthError, LmlError, LmlRequestError
from resources.lml.models import Health
from wxyc_assets import factories
from wxyc_assets.cli.doctor_checks.diagnosis import Context, Diagnosis
from wxyc_assets.cli.doctor_checks.sandbox import has_sandbox_station, up_advice
from wxyc_assets.cli.station import is_local
from wxyc_assets.runs import runbook
from wxyc_assets.settings import AlbumSettings, LmlSettings, RotationSettings, SettingsError

NOT_CONFIGURED = Diagnosis("LML", ok=False, says="is not configured", advice=factories.CONFIGURE_LML)

REFUSED = Diagnosis(
    "LML",
    ok=False,
    says="the station is a sandbox, and LIBRARY_METADATA_URL is an LML elsewhere, which is never asked about sample albums",
    advice="unset LIBRARY_METADATA_URL, or set DATABASE_URL to the station's",
)

GONE_SANDBOX_LML = (
    "the sandbox LML runs only under `wxyc demo` and `wxyc up`: unset LIBRARY_METADATA_URL, or start it again"
)


def check_lml(context: Context) -> Iterator[Diagnosis]:
    """Check that LML answers, accepts the key, and is recent enough for the deploy gate."""
    settings, rotation = context.settings(LmlSettings), context.settings(RotationSettings)
    sandbox = has_sandbox_station(context)
    if not settings.base_url:
        yield diagnose_unconfigured(context) if sandbox else NOT_CONFIGURED
        return
    if sandbox and not is_local(settings.base_url):
        yield REFUSED
        return
    try:
        config = factories.lml_config_from(settings, rotation)
    except SettingsError as error:
        yield Diagnosis("LML", ok=False, says="; ".join(error.problems))
        return
    with LmlClient(config) as lml:
        try:
            health = lml.health()
        except LmlError as error:
            advice = GONE_SANDBOX_LML if sandbox else "is LIBRARY_METADATA_URL right, and LML running there?"
            yield Diagnosis("LML", ok=False, says=str(error), advice=advice)
            return
        yield Diagnosis("LML", ok=health.status != "unhealthy", says=f"answers, and calls itself {health.status}")
        yield check_breaker(health)
        yield Diagnosis("lookup budget", ok=True, says=context.settings(AlbumSettings).budget_effect)
        yield check_lml_key(lml)
        github = GitHub(rotation.github_api_url, rotation.github_token)
        yield check_deploy_gate(DeployGate(lml, github, local_dev=settings.local_dev))


def diagnose_unconfigured(context: Context) -> Diagnosis:
    """Say which LML a sandbox station asks, and what `wxyc run` needs."""
    says = "is not configured: the sandbox LML of this sandbox station runs only under `wxyc demo` and `wxyc up`"
    return Diagnosis(
        "LML", ok=True, says=says, advice=up_advice(context, f"for `wxyc run`: {factories.CONFIGURE_SANDBOX_LML}")
    )


def check_breaker(health: Health) -> Diagnosis:
    """Check that LML may ask Discogs."""
    state = health.discogs_breaker_state or "not in its health, so runs do not look for it"
    waiting = "album_metadata and rotation_cache wait until it is closed, for at most 30 minutes"
    advice = waiting if health.discogs_is_suspended else ""
    return Diagnosis("LML's breaker", ok=not health.discogs_is_suspended, says=f"is {state}", advice=advice)


def check_lml_key(lml: LmlClient) -> Diagnosis:
    """Check that LML accepts the key."""
    try:
        lml.probe()
    except LmlAuthError as error:
        return Diagnosis("LML_API_KEY", ok=False, says=str(error), advice="set the key that LML was deployed with")
    except LmlRequestError:
        pass  # LML accepted the key, then refused the empty request
    except LmlError as error:
        return Diagnosis("LML_API_KEY", ok=False, says=str(error), advice="try again when LML works")
    return Diagnosis("LML_API_KEY", ok=True, says="is accepted")


def check_deploy_gate(gate: DeployGate) -> Diagnosis:
    """Check that the deploy gate is open."""
    decision = gate.decide()
    advice = (
        ""
        if decision.is_open
        else f"only rotation_cache waits for it: `{runbook.command('deploy_gate_open')}` says what opens it"
    )
    return Diagnosis("deploy gate", ok=decision.is_open, says=decision.reason, advice=advice)
