"""Reads deploy/: the services of compose.yaml with their exact commands and environment, adapted to this machine."""

import os
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"


@cache
def compose() -> dict[str, Any]:
    """The content of deploy/compose.yaml."""
    content: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return content


@dataclass(frozen=True)
class Instruction:
    """One instruction of the Containerfile, with its continuation lines joined."""

    name: str
    rest: str


@cache
def stages() -> list[list[Instruction]]:
    """The instructions of each stage of the Containerfile. The last stage is the image."""
    text = re.sub(r"\\\n\s*", " ", (DEPLOY / "Containerfile").read_text())
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found: list[list[Instruction]] = [[]]
    for name, rest in lines:
        if name == "FROM":
            found.append([])
        found[-1].append(Instruction(name, rest))
    return found[1:]


def image(name: str) -> list[str]:
    """The arguments of this instruction in the last stage."""
    return [instruction.rest for instruction in stages()[-1] if instruction.name == name]


def image_environment() -> dict[str, str]:
    """The variables that the image sets."""
    pairs = [word.split("=", 1) for line in image("ENV") for word in shlex.split(line)]
    return dict(pairs)


def entrypoint() -> list[str]:
    """The entry point of the image."""
    words: list[str] = yaml.safe_load(image("ENTRYPOINT")[0])
    return words


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
class LocalMachine:
    """This machine in place of the containers: the words of the files that the tests replace, the same way everywhere."""

    folder: Path
    ports: Mapping[str, int]
    prices: Path
    words: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        words = {
            # Each container has its own network and reaches the others by name. This machine has one network and no names.
            "0.0.0.0": "127.0.0.1",  # noqa: S104  # the word to replace
            "code-location": "127.0.0.1",
            **{port: str(number) for port, number in self.ports.items()},
            # Each container has its own file system.
            "/opt/wxyc-assets/entrypoint.py": str(DEPLOY / "entrypoint.py"),
            "/opt/wxyc-assets/per_partition.py": str(DEPLOY / "helm" / "per_partition.py"),
            "/opt/wxyc-assets/bin": str(DEPLOY / "bin"),
            "/opt/wxyc-assets/dagster": str(self.folder / "dagster"),
            "/opt/dagster/dagster_home": str(self.folder / "dagster"),
            "/dagster-workspace": str(self.folder / "dagster"),
            "/opt/venv/bin": str(Path(sys.executable).parent),
            "/var/lib/wxyc-assets": str(self.folder / "state"),
            "/etc/wxyc-assets/prices": str(self.prices),
            "/tmp": str(self.folder / "tmp"),  # noqa: S108  # the word to replace
        }
        object.__setattr__(self, "words", words)

    def text(self, text: str) -> str:
        """Replace the words, where they are whole words."""
        alternatives = "|".join(map(re.escape, self.words))
        return re.sub(rf"(?<![\w.-])({alternatives})(?![\w-])", lambda match: self.words[match[1]], text)

    def environ(self, given: Mapping[str, str]) -> dict[str, str]:
        """The image's environment and the variables of a container."""
        system = {name: os.environ[name] for name in ("LANG", "LD_LIBRARY_PATH") if name in os.environ}
        images = {name: self.text(value) for name, value in image_environment().items()}
        return {**system, **images, "PATH": images["PATH"].replace("$PATH", os.environ["PATH"]), **given}

    def install(self, instance: str, workspace: str) -> None:
        """Create the folders of the image and its volumes, and Dagster's two files."""
        for name in ("dagster", "state/compute-logs", "tmp", "logs"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "dagster" / "dagster.yaml").write_text(instance)
        (self.folder / "dagster" / "workspace.yaml").write_text(workspace)


@dataclass(frozen=True)
class Service:
    """One service, ready to start."""

    name: str
    command: list[str]
    environ: dict[str, str]
    check: list[str] = field(default_factory=list)
    depends_on: Mapping[str, str] = field(default_factory=dict)
    """The services that must be ready first, each with its condition."""


def services(settings: Mapping[str, str], machine: LocalMachine) -> dict[str, Service]:
    """All services with the settings of an .env, in start order."""
    found = {}
    for name, service in compose()["services"].items():
        given = {key: interpolate(value, settings) for key, value in service.get("environment", {}).items()}
        # The addresses in .env are addresses of this machine already.
        given = {key: value if value in settings.values() else machine.text(value) for key, value in given.items()}
        check = service.get("healthcheck", {}).get("test", ["CMD"])[1:]
        found[name] = Service(
            name=name,
            command=[machine.text(word) for word in (*entrypoint(), *service["command"])],
            environ=machine.environ({**(settings if service.get("env_file") else {}), **given}),
            check=[machine.text(word) for word in check],
            depends_on={other: entry["condition"] for other, entry in service.get("depends_on", {}).items()},
        )
    return dict(sorted(found.items(), key=lambda item: _depth(item[0])))


def read_only_webserver(webserver: Service, machine: LocalMachine) -> Service:
    """The service of compose.read-only.yaml, which extends that of compose.yaml."""
    text = (DEPLOY / "compose.read-only.yaml").read_text().replace("!override ", "")
    (service,) = yaml.safe_load(text)["services"].values()
    return replace(
        webserver,
        name="webserver-read-only",
        command=[machine.text(word) for word in (*entrypoint(), *service["command"])],
        check=[machine.text(word) for word in service["healthcheck"]["test"][1:]],
    )


def _depth(name: str) -> int:
    others = compose()["services"][name].get("depends_on", {})
    return 1 + max((_depth(other) for other in others), default=0)
