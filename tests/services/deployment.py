"""The services of deploy/compose.yaml as they would run here: their very commands and environment, with few words replaced."""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


@cache
def compose() -> dict[str, Any]:
    """deploy/compose.yaml, as YAML has it."""
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@dataclass(frozen=True)
class Instruction:
    """One instruction of the container file; a line that goes on is one line."""

    name: str
    rest: str


@cache
def stages() -> list[list[Instruction]]:
    """The instructions of each stage of the container file, the last one being what runs."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Containerfile").read_text())
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found: list[list[Instruction]] = [[]]
    for name, rest in lines:
        if name == "FROM":
            found.append([])
        found[-1].append(Instruction(name, rest))
    return found[1:]


def image(name: str) -> list[str]:
    """What the last stage says under this instruction."""
    return [instruction.rest for instruction in stages()[-1] if instruction.name == name]


def image_environment() -> dict[str, str]:
    """The variables that the image sets."""
    pairs = [word.split("=", 1) for line in image("ENV") for word in shlex.split(line)]
    return dict(pairs)


def entrypoint() -> list[str]:
    """What the image starts a command with."""
    return yaml.safe_load(image("ENTRYPOINT")[0])


def interpolate(value: object, settings: Mapping[str, str]) -> str:
    """Fill in ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}`` as Compose does from .env."""

    def filled(match: re.Match[str]) -> str:
        name, kind, word = match.groups()
        if given := settings.get(name):
            return given
        assert kind != ":?", f"{name}: {word}"
        return word or ""

    return re.sub(r"\$\{([A-Z_]+)(?:(:[-?])([^}]*))?\}", filled, str(value))


@dataclass(frozen=True)
class Here:
    """This machine instead of containers: the only words of the files that are replaced, everywhere in the same way."""

    folder: Path
    ports: Mapping[str, int]
    prices: Path
    words: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        words = {
            # Every container has a network of its own, and names of the others; here there is one, and no names.
            "0.0.0.0": "127.0.0.1",  # noqa: S104  # what is replaced
            "code-location": "127.0.0.1",
            **{port: str(number) for port, number in self.ports.items()},
            # Every container has a file system of its own.
            "/opt/wxyc-assets/entrypoint.py": str(DEPLOY / "entrypoint.py"),
            "/opt/wxyc-assets/per_partition.py": str(DEPLOY / "helm" / "per_partition.py"),
            "/opt/wxyc-assets/dagster": str(self.folder / "dagster"),
            "/opt/dagster/dagster_home": str(self.folder / "dagster"),
            "/dagster-workspace": str(self.folder / "dagster"),
            "/opt/venv/bin": str(Path(sys.executable).parent),
            "/var/lib/wxyc-assets": str(self.folder / "state"),
            "/etc/wxyc-assets/prices": str(self.prices),
            "/tmp": str(self.folder / "tmp"),  # noqa: S108  # what is replaced
        }
        object.__setattr__(self, "words", words)

    def text(self, text: str) -> str:
        """Replace the words, where they are whole ones."""
        alternatives = "|".join(map(re.escape, self.words))
        return re.sub(rf"(?<![\w.-])({alternatives})(?![\w-])", lambda match: self.words[match[1]], text)

    def environ(self, given: Mapping[str, str]) -> dict[str, str]:
        """The image's environment, with what a container is given."""
        system = {name: os.environ[name] for name in ("LANG", "LD_LIBRARY_PATH") if name in os.environ}
        images = {name: self.text(value) for name, value in image_environment().items()}
        return {**system, **images, "PATH": images["PATH"].replace("$PATH", os.environ["PATH"]), **given}

    def install(self, instance: str, workspace: str) -> None:
        """Lay the folders of the image and its volumes, and the files of Dagster's own."""
        for name in ("dagster", "state/compute-logs", "tmp", "logs"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "dagster" / "dagster.yaml").write_text(instance)
        (self.folder / "dagster" / "workspace.yaml").write_text(workspace)


@dataclass(frozen=True)
class Service:
    """One service, ready to be started."""

    name: str
    command: list[str]
    environ: dict[str, str]
    check: list[str] = field(default_factory=list)
    waits_for: Mapping[str, str] = field(default_factory=dict)
    """The services that it is started after, each with its condition."""


def services(settings: Mapping[str, str], here: Here) -> dict[str, Service]:
    """Every service with the settings of an .env, in the order in which they are to be started."""
    found = {}
    for name, service in compose()["services"].items():
        given = {key: interpolate(value, settings) for key, value in service.get("environment", {}).items()}
        # What stands in .env are addresses of this machine already.
        given = {key: value if value in settings.values() else here.text(value) for key, value in given.items()}
        check = service.get("healthcheck", {}).get("test", ["CMD"])[1:]
        found[name] = Service(
            name=name,
            command=[here.text(word) for word in (*entrypoint(), *service["command"])],
            environ=here.environ({**(settings if service.get("env_file") else {}), **given}),
            check=[here.text(word) for word in check],
            waits_for={after: wanted["condition"] for after, wanted in service.get("depends_on", {}).items()},
        )
    return dict(sorted(found.items(), key=lambda item: _depth(item[0])))


def _depth(name: str) -> int:
    after = compose()["services"][name].get("depends_on", {})
    return 1 + max((_depth(other) for other in after), default=0)
