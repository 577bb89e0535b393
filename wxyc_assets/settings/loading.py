"""Loads groups of settings from an environment, and names every problem at once. An empty variable counts as unset."""

import os
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from resources import job_variables
from wxyc_assets.settings.groups import SettingsGroup

Group = TypeVar("Group", bound=SettingsGroup)


class SettingsError(Exception):
    """One or more settings are invalid; ``problems`` names each variable with its problem."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("settings cannot be used:\n" + "\n".join(f"  - {problem}" for problem in problems))


def load(group: type[Group], environ: Mapping[str, str] | None = None) -> Group:
    """Read one group of settings from the environment.

    Raises SettingsError with every problem of the group.
    """
    (loaded,) = load_all((group,), environ)
    return loaded


def load_all(groups: tuple[type[Group], ...], environ: Mapping[str, str] | None = None) -> tuple[Group, ...]:
    """Read several groups of settings; raises SettingsError with every problem of all of them at once.

    A variable of the cron jobs that must not be ignored is a problem of every group.
    """
    source = _set_variables(environ)
    loaded: list[Group] = []
    problems = job_variables.refused(source)
    for group in groups:
        broken = [
            str(field.alias) for field in group.model_fields.values() if not _is_text(source.get(str(field.alias), ""))
        ]
        if broken:
            problems += [f"{name}: holds bytes that are not UTF-8; write it anew" for name in broken]
            continue
        try:
            loaded.append(group.model_validate(source))
        except ValidationError as error:
            problems += [_explain(group, dict(item)) for item in error.errors()]
    if problems:
        raise SettingsError(list(dict.fromkeys(problems)))
    return tuple(loaded)


def ignored_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """Return the variables of the cron jobs that are set and ignored, each with the setting that replaces it."""
    return job_variables.ignored(_set_variables(environ))


def _set_variables(environ: Mapping[str, str] | None) -> dict[str, str]:
    """Return the variables that are set, stripped: a secret read from a file may end with a newline."""
    source = os.environ if environ is None else environ
    return {name: value.strip() for name, value in source.items() if value.strip()}


def _is_text(value: str) -> bool:
    """Return whether a value is UTF-8: Python keeps other bytes as signs that neither JSON nor a database takes."""
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def _explain(group: type[SettingsGroup], item: dict[str, Any]) -> str:
    name = str(item["loc"][0])
    field = group.model_fields.get(name)  # pydantic names the field, not the alias, for a rule about an unset variable
    return f"{field.alias if field else name}: {str(item['msg']).removeprefix('Value error, ')}"
