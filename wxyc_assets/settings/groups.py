"""Every setting, typed, in one place.

Nothing is read at import time. A command loads the groups it uses, from the environment it is given, and is told of
every problem at once; ``doctor`` loads them all. An empty variable counts as unset.
"""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from resources.lml.endpoints import DISCOGS_CAP_PER_MIN, LOOKUP_CAP

Group = TypeVar("Group", bound="SettingsGroup")


class SettingsError(Exception):
    """One or more settings cannot be used; ``problems`` names each variable and what is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems))


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be an http:// or https:// URL")
    return value


def _postgres_url(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    try:
        usable = url.startswith(("postgresql://", "postgres://")) and bool(conninfo_to_dict(url))
    except ProgrammingError:
        usable = False
    if not usable:
        raise ValueError("must be a postgresql:// URL, with what is special in a password percent-encoded")
    return value


def _sentry_dsn(value: SecretStr) -> SecretStr:
    parts = urlsplit(_http_url(value.get_secret_value()))
    if not parts.username or not parts.path.strip("/"):
        raise ValueError("must be a DSN as Sentry shows it: https://KEY@HOST/PROJECT")
    return value


HttpUrl = Annotated[str, AfterValidator(_http_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
SentryDsn = Annotated[SecretStr, AfterValidator(_sentry_dsn)]
SchemaName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]


def _default_home() -> Path:
    return Path("/var/lib/wxyc-assets") if os.geteuid() == 0 else Path.home() / ".local" / "state" / "wxyc-assets"


class SettingsGroup(BaseModel):
    """Settings that are used together. A field's alias is the name of its environment variable."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class HomeSettings(SettingsGroup):
    """Where this machine keeps its state."""

    home: Path = Field(default_factory=_default_home, alias="WXYC_HOME", description="state folder")
    dagster_home: Path | None = Field(
        default=None, alias="DAGSTER_HOME", description="Dagster's own folder; default `$WXYC_HOME/dagster`"
    )
    dagster_database_url: PostgresUrl | None = Field(
        default=None,
        alias="DAGSTER_DATABASE_URL",
        description="Dagster's storage; default: database `dagster` on the embedded server or beside `DATABASE_URL`",
    )

    @property
    def dagster_folder(self) -> Path:
        """The folder that Dagster's instance is configured in."""
        return self.dagster_home or self.home / "dagster"


class DatabaseSettings(HomeSettings):
    """The station's database; unset means the embedded PostgreSQL below ``home``."""

    database_url: PostgresUrl | None = Field(
        default=None, alias="DATABASE_URL", description="the station; default: the embedded PostgreSQL in `WXYC_HOME`"
    )
    station_schema: SchemaName = Field(
        default="wxyc_schema", alias="WXYC_SCHEMA_NAME", description="schema of the station's tables"
    )
    billing_schema: SchemaName = Field(
        default="public", alias="BILLING_SCHEMA_NAME", description="schema of billing_event, rated_usage, io_log"
    )


class LmlSettings(SettingsGroup):
    """How to reach LML. Unset means the sandbox LML, which only ``demo`` and ``up`` start."""

    base_url: HttpUrl | None = Field(
        default=None, alias="LIBRARY_METADATA_URL", description="LML; default: the sandbox LML (`demo` and `up` only)"
    )
    local_dev: bool = Field(default=False, alias="LOCAL_DEV", description="1: a configured LML may do without a key")
    api_key: SecretStr | None = Field(
        default=None, validate_default=True, alias="LML_API_KEY", description="bearer key of LML"
    )
    discogs_budget_per_min: float = Field(
        default=30,
        gt=0,
        allow_inf_nan=False,
        alias="LML_DISCOGS_BUDGET_PER_MIN",
        description="Discogs calls a minute that all assets share, of the 50 that LML has",
    )
    cost_lookup_item: float = Field(
        default=1, ge=0, allow_inf_nan=False, alias="LML_COST_LOOKUP_ITEM", description="Discogs calls a looked-up item"
    )
    cost_refresh_id: float = Field(
        default=4, ge=0, allow_inf_nan=False, alias="LML_COST_REFRESH_ID", description="Discogs calls a refreshed id"
    )
    capture_sample_rate: float = Field(
        default=0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        alias="LML_CAPTURE_SAMPLE_RATE",
        description="share of request bodies kept in io_log, 0 to 1",
    )

    @property
    def budget_warning(self) -> str:
        """What a budget above LML's own cap means; empty if it is not."""
        if self.discogs_budget_per_min <= DISCOGS_CAP_PER_MIN:
            return ""
        return (
            f"LML_DISCOGS_BUDGET_PER_MIN is {self.discogs_budget_per_min:g}, but LML makes {DISCOGS_CAP_PER_MIN} Discogs calls "
            "a minute for everybody: runs would be throttled, and the station's live callers with them"
        )

    @field_validator("api_key")
    @classmethod
    def _configured_lml_has_a_key(cls, api_key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        # On the field rather than the model, so that it is told together with the problems of other fields.
        if info.data.get("base_url") and not api_key and not info.data.get("local_dev"):
            raise ValueError("is needed for the configured LIBRARY_METADATA_URL (or LOCAL_DEV=1 on your own machine)")
        return api_key


class IdentitySettings(SettingsGroup):
    """When a library's identity is asked again."""

    stale_threshold_days: int = Field(
        default=7,
        ge=1,
        le=36500,
        alias="STALE_THRESHOLD_DAYS",
        description="an identity older than this is asked again",
    )
    unresolved_retry_days: int = Field(
        default=30,
        ge=1,
        le=36500,
        alias="UNRESOLVED_RETRY_DAYS",
        description="an unresolved library rests this long",
    )
    include_null_canonical: bool = Field(
        default=False, alias="INCLUDE_NULL_CANONICAL", description="1: also libraries without a canonical entity"
    )

    @property
    def stale_after(self) -> timedelta:
        """Age at which an identity is stale; exactly this old is still fresh."""
        return timedelta(days=self.stale_threshold_days)

    @property
    def retry_after(self) -> timedelta:
        """Rest of an unresolved library; exactly this long is not yet enough."""
        return timedelta(days=self.unresolved_retry_days)


class FlowsheetSettings(SettingsGroup):
    """How the pass over the flowsheet gives way to a live DJ."""

    live_activity_lookback_s: int = Field(
        default=300,
        ge=0,
        le=2**31 - 1,
        alias="LIVE_ACTIVITY_LOOKBACK_SECONDS",
        description="a track played within so many seconds means that a DJ is live, and the pass waits; 0: it never waits",
    )


class AlbumSettings(SettingsGroup):
    """How albums are asked about."""

    batch_size: int = Field(
        default=5,
        ge=1,
        le=LOOKUP_CAP,
        alias="BACKFILL_BULK_BATCH_SIZE",
        description=f"albums in one bulk lookup, at most {LOOKUP_CAP}",
    )
    budget_ms: int = Field(
        default=25_000,
        ge=1,
        le=600_000,
        alias="BACKFILL_BULK_BUDGET_MS",
        description="time after which LML stops asking Discogs for a batch",
    )


class RotationSettings(SettingsGroup):
    """How the rotation's cache is warmed, and how the deploy gate looks at LML's commit."""

    max_concurrent: int = Field(
        default=3, ge=1, le=50, alias="BACKFILL_LML_MAX_CONCURRENT", description="refreshes that are asked for at once"
    )
    batch_timeout_ms: int = Field(
        default=360_000,
        ge=1,
        le=3_600_000,
        alias="BACKFILL_LML_BATCH_TIMEOUT_MS",
        description="time that LML has for one refresh",
    )
    github_api_url: HttpUrl = Field(
        default="https://api.github.com",
        alias="GITHUB_API_URL",
        description="where the deploy gate compares commits",
    )
    github_token: SecretStr | None = Field(
        default=None, alias="GITHUB_TOKEN", description="bearer for it; unset: asked without one"
    )


class RatingSettings(SettingsGroup):
    """What usage is rated with, and how far back a routine run looks."""

    price_file: Path | None = Field(
        default=None, alias="PRICE_FILE", description="the price file; unset: rating is refused (the sandbox ships one)"
    )
    trailing_hours: int = Field(
        default=24,
        ge=1,
        le=8784,
        alias="RATE_TRAILING_HOURS",
        description="closed hours that a routine run rates, and that must not be late",
    )


class SentrySettings(SettingsGroup):
    """Where errors and spans are reported; without a DSN nowhere."""

    dsn: SentryDsn | None = Field(default=None, alias="SENTRY_DSN", description="unset: nothing is sent")
    environment: str = Field(default="local", alias="SENTRY_ENVIRONMENT", description="environment on every event")
    release: str | None = Field(default=None, alias="SENTRY_RELEASE", description="release on every event")
    traces_sample_rate: float = Field(
        default=1.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        alias="SENTRY_TRACES_SAMPLE_RATE",
        description="share of runs whose spans are sent, 0 to 1",
    )


ALL_GROUPS: tuple[type[SettingsGroup], ...] = (
    DatabaseSettings,
    LmlSettings,
    IdentitySettings,
    AlbumSettings,
    FlowsheetSettings,
    RotationSettings,
    RatingSettings,
    SentrySettings,
)


def load(group: type[Group], environ: Mapping[str, str] | None = None) -> Group:
    """Read one group of settings from the environment.

    Raises SettingsError with every problem of the group.
    """
    (loaded,) = load_all((group,), environ)
    return loaded


def load_all(groups: tuple[type[Group], ...], environ: Mapping[str, str] | None = None) -> tuple[Group, ...]:
    """Read several groups of settings; raises SettingsError with every problem of all of them at once."""
    source = _set_variables(environ)
    loaded: list[Group] = []
    problems: list[str] = []
    for group in groups:
        try:
            loaded.append(group.model_validate(source))
        except ValidationError as error:
            problems += [_explain(group, dict(item)) for item in error.errors()]
    if problems:
        raise SettingsError(list(dict.fromkeys(problems)))
    return tuple(loaded)


def secret_texts(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the value of every variable that holds a secret, also of those that cannot be used as they are."""
    source = _set_variables(environ)
    names = [
        str(field.alias)
        for group in ALL_GROUPS
        for field in group.model_fields.values()
        if any(SecretStr in (kind, get_origin(kind), *get_args(kind)[:1]) for kind in get_args(field.annotation))
    ]
    return [source[name] for name in names if name in source]


def _set_variables(environ: Mapping[str, str] | None) -> dict[str, str]:
    """Without what is empty, and without the line end that a secret's file may have left."""
    source = os.environ if environ is None else environ
    return {name: value.strip() for name, value in source.items() if value.strip()}


def _explain(group: type[SettingsGroup], item: dict[str, Any]) -> str:
    name = str(item["loc"][0])
    field = group.model_fields.get(name)  # a rule about an unset variable is told by its field's name
    return f"{field.alias if field else name}: {str(item['msg']).removeprefix('Value error, ')}"
