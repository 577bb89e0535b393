"""Owns the order in which the gate asks: LML's health, then a refresh of nothing or GitHub, whichever can tell."""

from dataclasses import dataclass
from typing import Protocol

from resources.deploy_gate.github import Comparison, GitHubError
from resources.deploy_gate.rules import (
    GATE_SHA,
    REPOSITORY,
    Ruling,
    after_compare,
    after_health,
    after_probe,
    unknown_ancestry,
)
from resources.lml.errors import LmlError
from resources.lml.models import Health, RefreshAnswer


class Diagnosed(Protocol):
    """An LML that can be asked how it is, without any work."""

    def health(self) -> Health:
        """Ask how it is, without a key; raises LmlError."""

    def probe(self) -> RefreshAnswer:
        """Ask for a refresh of nothing, with the key; raises LmlError."""


class Comparing(Protocol):
    """Knows how commits stand to each other."""

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        """Ask how ``head`` stands to ``base``; raises GitHubError."""


@dataclass(frozen=True)
class DeployGate:
    """Lets runs through whose LML is recent enough. ``local_dev`` trusts an LML that does not say which commit it runs.

    It asks each time, does no work at LML, and spends no Discogs call.
    """

    lml: Diagnosed
    github: Comparing
    local_dev: bool = False

    def ask(self) -> Ruling:
        """Decide; whatever cannot be found out closes the gate."""
        try:
            health = self.lml.health()
        except LmlError as error:
            return Ruling(False, f"LML could not be asked how it is: {error}")
        ruling = after_health(health.http_status, health.commit_sha, local_dev=self.local_dev)
        if ruling is not None:
            return ruling
        return self._probe() if health.commit_sha is None else self._compare(health.commit_sha)

    def _probe(self) -> Ruling:
        try:
            answer = self.lml.probe()
        except LmlError as error:
            return after_probe(error.status, str(error))
        return after_probe(answer.http_status, "")

    def _compare(self, commit_sha: str) -> Ruling:
        try:
            said = self.github.compare(REPOSITORY, GATE_SHA, commit_sha)
        except GitHubError as error:
            return unknown_ancestry(str(error), commit_sha)
        return after_compare(said.status, said.relation, commit_sha)
