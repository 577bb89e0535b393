"""The result of one check of ``wxyc doctor``, and the settings that all checks share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resources.secrets import Secrets
from wxyc_assets.settings import ALL_GROUPS, Group, SettingsError, SettingsGroup, ignored_variables, load


@dataclass(frozen=True)
class Diagnosis:
    """The result of one check: what it looked at, whether that works, what it found, and what to do about it."""

    name: str
    ok: bool
    says: str
    advice: str = ""


class UnusableSettingsError(Exception):
    """A check needs a group of settings that cannot be used."""


@dataclass(frozen=True)
class Context:
    """The settings that all checks share, loaded once, and what is wrong with those that cannot be used.

    ``ignored``: variables of the cron jobs that are set and have no effect. ``asks_sentry``: Sentry is sent a check-in.
    """

    groups: Mapping[type[SettingsGroup], SettingsGroup]
    problems: Sequence[str]
    secrets: Secrets
    ignored: Sequence[str] = ()
    asks_sentry: bool = False

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, *, asks_sentry: bool = False) -> "Context":
        """Load every group of settings, and collect the problems of all of them."""
        groups: dict[type[SettingsGroup], SettingsGroup] = {}
        problems: list[str] = []
        for group in ALL_GROUPS:
            try:
                groups[group] = load(group, environ)
            except SettingsError as error:
                problems += error.problems
        return cls(groups, list(dict.fromkeys(problems)), Secrets.of(environ), ignored_variables(environ), asks_sentry)

    def settings(self, group: type[Group]) -> Group:
        """Return one group of settings; raises UnusableSettingsError if it has a problem."""
        loaded = self.groups.get(group)
        if not isinstance(loaded, group):
            raise UnusableSettingsError(group.__name__)
        return loaded
