"""The secrets of this process: what must never be shown, logged or sent."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from resources.redaction import Redactor

VARIABLES = (
    "DATABASE_URL",
    "DAGSTER_DATABASE_URL",
    "BILLING_DATABASE_URL",
    "PGPASSWORD",  # which every client of PostgreSQL reads, ours included
    "LML_API_KEY",
    "GITHUB_TOKEN",
    "SENTRY_DSN",
)
"""The environment variables that hold secrets. A list, because the settings take long to import; a test compares both."""

_UNESCAPED_PASSWORD = re.compile(r"://[^:@\s]*:(.+)@", re.DOTALL)


@dataclass(frozen=True)
class Secrets:
    """Every string of the environment that must never be shown."""

    texts: tuple[str, ...] = field(repr=False)

    @classmethod
    def of(cls, environ: Mapping[str, str] | None = None) -> "Secrets":
        """Collect them, also from settings that are invalid: a secret in an invalid setting is still a secret."""
        texts = secret_texts(os.environ if environ is None else environ)
        return cls(tuple(dict.fromkeys(part for text in texts for part in _parts(text))))

    def redactor(self) -> Redactor:
        """Return what removes them from a text."""
        return Redactor(self.texts)


def secret_texts(environ: Mapping[str, str]) -> list[str]:
    """Return the value of every variable that holds a secret, stripped: one that was read from a file may end in a newline."""
    return [text for name in VARIABLES if (text := environ.get(name, "").strip())]


def _parts(secret: str) -> Iterator[str]:
    """Yield the secret parts: of a URL only its passwords, as written and as sent; operators need its host and database."""
    if "://" not in secret:
        yield secret
        return
    passwords = list(_passwords(secret))
    for password in passwords:
        yield from (password, unquote(password), quote(password, safe=""))
    if not passwords and "@" in secret and not _is_url(secret):
        yield secret


def _passwords(url: str) -> Iterator[str]:
    if _is_url(url):
        parts = urlsplit(url)
        yield from filter(None, [parts.password])
        yield from (value for name, value in parse_qsl(parts.query) if name in {"password", "sslpassword"})
        if parts.password:
            return
    # Its signs end the host early for a URL's reader: a slash, a question mark, a bracket.
    if found := _UNESCAPED_PASSWORD.search(url):
        yield found[1]


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text))
    except ValueError:
        return False
