"""Every setting, typed, in one place: which there are, their variables, defaults and meanings."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationInfo, field_validator, model_validator

from resources.lml.endpoints import DISCOGS_CAP_PER_MIN, LOOKUP_CAP, LOOKUP_ITEM_UNBOUNDED_S, lookup_cut_off_s
from wxyc_assets.settings.values import (
    EARLIEST_HOUR,
    BillingHour,
    HostNames,
    HttpUrl,
    PostgresUrl,
    PriceChanges,
    SchemaName,
    SentryDsn,
    host_names,
)

DEFAULT_PORTS = {"http": 80, "https": 443}

NODE_ENV = "NODE_ENV"
"""The variable of the cron jobs that names Sentry's environment, unless ours does."""


def default_home() -> Path:
    """Return the state folder of this user: root's is the system's."""
    return Path("/var/lib/wxyc-assets") if os.geteuid() == 0 else Path.home() / ".local" / "state" / "wxyc-assets"


class SettingsGroup(BaseModel):
    """Settings that are used together. A field's alias is the name of its environment variable."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)


class HomeSettings(SettingsGroup):
    """The folders and databases of this machine's state."""

    home: Path = Field(default_factory=default_home, alias="WXYC_HOME", description="state folder")
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
    """The databases of the station and of its billing; unset means the embedded PostgreSQL below ``home``."""

    database_url: PostgresUrl | None = Field(
        default=None, alias="DATABASE_URL", description="the station; default: the embedded PostgreSQL in `WXYC_HOME`"
    )
    station_schema: SchemaName = Field(
        default="wxyc_schema", alias="WXYC_SCHEMA_NAME", description="schema of the station's tables"
    )
    billing_schema: SchemaName = Field(
        default="public", alias="BILLING_SCHEMA_NAME", description="schema of billing_event, rated_usage, io_log"
    )
    billing_database_url: PostgresUrl | None = Field(
        default=None,
        alias="BILLING_DATABASE_URL",
        description="the database of the billing tables, if it is not `DATABASE_URL`",
    )

    @field_validator("billing_database_url")
    @classmethod
    def _only_of_a_configured_station(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        # An invalid DATABASE_URL is not in the data, and is a problem of its own.
        if value and info.data.get("database_url", value) is None:
            raise ValueError(
                "needs DATABASE_URL: the sandbox station on the embedded PostgreSQL has its own billing tables"
            )
        return value


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
        default=2.5,
        ge=0,
        allow_inf_nan=False,
        alias="LML_COST_LOOKUP_ITEM",
        description="Discogs calls a looked-up item",
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
        """The consequence of a budget above LML's own cap; empty if the budget is below it."""
        if self.discogs_budget_per_min <= DISCOGS_CAP_PER_MIN:
            return ""
        return (
            f"LML_DISCOGS_BUDGET_PER_MIN is {self.discogs_budget_per_min:g}, but LML makes {DISCOGS_CAP_PER_MIN} Discogs calls "
            "a minute for all callers: runs would be throttled, and the station's live callers with them"
        )

    @field_validator("api_key")
    @classmethod
    def _configured_lml_has_a_key(cls, api_key: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        # A field validator, so that its problem is reported together with those of other fields.
        if info.data.get("base_url") and not api_key and not info.data.get("local_dev"):
            raise ValueError("is needed for the configured LIBRARY_METADATA_URL (or LOCAL_DEV=1 on your own machine)")
        return api_key


class IdentitySettings(SettingsGroup):
    """When the identity of a library is resolved again."""

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
        """The age above which an identity is stale; an identity of exactly this age is fresh."""
        return timedelta(days=self.stale_threshold_days)

    @property
    def retry_after(self) -> timedelta:
        """How long an unresolved library rests; after exactly this time it still rests."""
        return timedelta(days=self.unresolved_retry_days)


class FlowsheetSettings(SettingsGroup):
    """When the flowsheet pass pauses for a live DJ, and which plays the assets leave to the station's enrichment worker."""

    live_activity_lookback_s: int = Field(
        default=300,
        ge=0,
        le=2**31 - 1,
        alias="LIVE_ACTIVITY_LOOKBACK_SECONDS",
        description="a track played within so many seconds means that a DJ is live, and the pass waits; 0: it never waits",
    )
    grace_minutes: int = Field(
        default=15,
        ge=0,
        le=525_600,
        alias="FLOWSHEET_GRACE_MINUTES",
        description="a play younger than this is left to the station's enrichment worker",
    )

    @property
    def grace(self) -> timedelta:
        """The age in which a play belongs to the enrichment worker; a play of exactly this age is ours."""
        return timedelta(minutes=self.grace_minutes)


class AlbumSettings(SettingsGroup):
    """How albums are looked up."""

    batch_size: int = Field(
        default=5,
        ge=1,
        le=LOOKUP_CAP,
        alias="BACKFILL_BULK_BATCH_SIZE",
        description=f"albums in one bulk lookup, at most {LOOKUP_CAP}",
    )
    budget_ms: int = Field(
        default=25_000,
        ge=0,
        le=600_000,
        alias="BACKFILL_BULK_BUDGET_MS",
        description="the header X-Caller-Budget-Ms of a bulk lookup, which ends LML's work on an album after at most 4 s; "
        "0: no header",
    )

    @property
    def budget_effect(self) -> str:
        """What the header makes LML do, for an operator."""
        if not self.budget_ms:
            return (
                "BACKFILL_BULK_BUDGET_MS is 0, so no X-Caller-Budget-Ms is sent: LML takes up to "
                f"{LOOKUP_ITEM_UNBOUNDED_S:g} s for an album, and the timeout of a call allows for that"
            )
        cut_off_s = lookup_cut_off_s(self.budget_ms)
        return (
            f"X-Caller-Budget-Ms {self.budget_ms} is sent (BACKFILL_BULK_BUDGET_MS): LML ends its work on an album after "
            f"{cut_off_s:g} s, and one that it has not in its cache often gets no answer; 0 leaves the header out"
        )


class RotationSettings(SettingsGroup):
    """How the rotation's cache is warmed, and how the deploy gate compares LML's commit."""

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
    """The price file, and how many hours a routine run rates."""

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
    seal_after_hours: int = Field(
        default=168,
        ge=48,
        alias="SEAL_AFTER_HOURS",
        description="hours after which the schedule `seal_old_hours`, if it is on, seals a rated hour",
    )
    billing_start: BillingHour | None = Field(
        default=None,
        alias="BILLING_START",
        description="the first hour that is rated; unset: that of the first event (`wxyc up`), else 2026-01-01T00:00:00Z",
    )
    price_changes: PriceChanges = Field(
        default="rewrite",
        alias="PRICE_CHANGES",
        description="what the hourly run does with hours that were billed with another price file: `rewrite` them, or `hold` "
        "them at their prices until an operator rates them again",
    )

    @property
    def first_hour(self) -> datetime:
        """The first hour that is rated."""
        return self.billing_start or EARLIEST_HOUR


class RetentionSettings(SettingsGroup):
    """How long is kept what nothing reads any more."""

    prune_after_days: int = Field(
        default=90,
        ge=14,
        le=36500,
        alias="PRUNE_AFTER_DAYS",
        description="days after which the schedule `prune_old_storage`, if it is on, removes runs, events, logs and journals",
    )

    @property
    def prune_after(self) -> timedelta:
        """The age above which they are removed."""
        return timedelta(days=self.prune_after_days)


class SentrySettings(SettingsGroup):
    """Where errors and spans are sent; without a DSN nothing is sent."""

    dsn: SentryDsn | None = Field(default=None, alias="SENTRY_DSN", description="unset: nothing is sent")
    environment: str = Field(
        default="local",
        alias="SENTRY_ENVIRONMENT",
        description="environment on every event; default: `NODE_ENV`, if set",
    )
    release: str | None = Field(default=None, alias="SENTRY_RELEASE", description="release on every event")
    traces_sample_rate: float = Field(
        default=1.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        alias="SENTRY_TRACES_SAMPLE_RATE",
        description="share of runs whose spans are sent, 0 to 1",
    )

    @model_validator(mode="before")
    @classmethod
    def _environment_of_the_jobs(cls, variables: dict[str, Any]) -> dict[str, Any]:
        # The cron jobs' events are in NODE_ENV, and so are the station's rules.
        return {"SENTRY_ENVIRONMENT": variables[NODE_ENV], **variables} if NODE_ENV in variables else variables


class UiSettings(SettingsGroup):
    """Where Dagster's UI is: for the links of the alerts, and for the guard of the services' webserver."""

    ui_url: HttpUrl | None = Field(
        default=None,
        alias="WXYC_UI_URL",
        description="Dagster's UI, for the links of alerts; unset: they name runs by id",
    )
    ui_hosts: HostNames | None = Field(
        default=None,
        alias="WXYC_UI_HOSTS",
        description="further host names under which browsers reach the services' webserver, which refuses all others",
    )

    @property
    def hosts(self) -> frozenset[str]:
        """The values of Host with which browsers reach the UI from elsewhere."""
        return host_names(self.ui_hosts or "") | {origin.partition("://")[2] for origin in self._origin_of_url}

    @property
    def origins(self) -> frozenset[str]:
        """The origins of the UI's pages there."""
        named = {f"{scheme}://{host}" for scheme in ("http", "https") for host in host_names(self.ui_hosts or "")}
        return self._origin_of_url | named

    @property
    def _origin_of_url(self) -> frozenset[str]:
        if not self.ui_url:
            return frozenset()
        parts = urlsplit(self.ui_url)
        port = "" if parts.port in {None, DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
        return frozenset({f"{parts.scheme}://{host}{port}"})


ALL_GROUPS: tuple[type[SettingsGroup], ...] = (
    DatabaseSettings,
    LmlSettings,
    IdentitySettings,
    AlbumSettings,
    FlowsheetSettings,
    RotationSettings,
    RatingSettings,
    RetentionSettings,
    SentrySettings,
    UiSettings,
)
