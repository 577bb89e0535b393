"""The values that a setting can have: URLs, a DSN, an hour, the name of a schema. Each says what is wrong with another one."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import AfterValidator, Field, SecretStr

EARLIEST_HOUR = datetime(2026, 1, 1, tzinfo=UTC)
"""Hours before this one are never rated."""

HOST = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
"""A host as in the header Host: a name or an address, and a port."""

PriceChanges = Literal["rewrite", "hold"]
"""What the hourly run does with hours that were billed with another price file."""


def _http_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be an http:// or https:// URL")
    return value


def _host_names(value: str) -> str:
    wrong = [name for name in host_names(value) if not HOST.fullmatch(name)]
    if wrong:
        raise ValueError("must be host names, each with its port unless that is the default, with commas between them")
    return value


def host_names(value: str) -> frozenset[str]:
    """Return the names in a list with commas, in lower case, as browsers send them."""
    return frozenset(name.strip().lower() for name in value.split(",") if name.strip())


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


def _billing_hour(value: datetime) -> datetime:
    hour = value.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if value.tzinfo is None or value != hour or hour < EARLIEST_HOUR:
        raise ValueError("must be a whole UTC hour from 2026 on, such as 2026-06-08T10:00:00Z")
    return hour


HostNames = Annotated[str, AfterValidator(_host_names)]
HttpUrl = Annotated[str, AfterValidator(_http_url)]
PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres_url)]
SentryDsn = Annotated[SecretStr, AfterValidator(_sentry_dsn)]
BillingHour = Annotated[datetime, AfterValidator(_billing_hour)]
SchemaName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
