"""The gate's sequence of requests: LML's health, then a refresh of no ids, or GitHub's comparison of two commits."""

from dataclasses import dataclass
from typing import Protocol

from resources.deploy_gate.github import Comparison, GitHubError
from resources.deploy_gate.rules import (
    GATE_SHA,
    REPOSITORY,
    GateDecision,
    after_compare,
    after_health,
    after_probe,
    unknown_ancestry,
)
from resources.lml.errors import LmlError
from resources.lml.models import Health, RefreshAnswer


class LmlDiagnostics(Protocol):
    """The calls to LML that diagnose it without making it work."""

    def health(self) -> Health:
        """Return LML's own health, without the key; raises LmlError."""

    def probe(self) -> RefreshAnswer:
        """Request a refresh of no ids, with the key; raises LmlError."""


class CommitComparer(Protocol):
    """Compares two commits of a repository."""

    def compare(self, repository: str, base: str, head: str) -> Comparison:
        """Return how ``head`` relates to ``base``; raises GitHubError."""


@dataclass(frozen=True)
class DeployGate:
    """Decides whether LML is recent enough for cache refreshes. ``local_dev`` trusts an LML that names no commit.

    Each decision asks anew. It causes no work in LML and spends no Discogs call.
    """

    lml: LmlDiagnostics
    github: CommitComparer
    local_dev: bool = False

    def decide(self) -> GateDecision:
        """Decide. The gate is closed if a request fails."""
        try:
            health = self.lml.health()
        except LmlError as error:
            return GateDecision(False, f"LML's health could not be read: {error}")
        decision = after_health(health.http_status, health.commit_sha, local_dev=self.local_dev)
        if decision is not None:
            return decision
        return self._probe() if health.commit_sha is None else self._compare(health.commit_sha)

    def _probe(self) -> GateDecision:
        try:
            answer = self.lml.probe()
        except LmlError as error:
            return after_probe(error.status, str(error))
        return after_probe(answer.http_status, "")

    def _compare(self, commit_sha: str) -> GateDecision:
        try:
            comparison = self.github.compare(REPOSITORY, GATE_SHA, commit_sha)
        except GitHubError as error:
            return unknown_ancestry(str(error), commit_sha)
        return after_compare(comparison.status, comparison.relation, commit_sha)
