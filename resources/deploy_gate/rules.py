"""The gate's decision after each answer. Pure.

Source: contract/rotation-cache.md, "Deploy gate".
"""

from dataclasses import dataclass
from typing import Final

from resources.lml.endpoints import HEALTH, PROBE

GATE_SHA: Final = "8a1344c"
"""The commit of LML that gave cache refreshes the behaviour that this code expects; older ones are refused."""

REPOSITORY: Final = "WXYC/library-metadata-lookup"

ABSENT: Final = frozenset({404, 405})
"""The only statuses that mean that LML has no such endpoint; every other one comes from the endpoint itself."""

CONTAINING: Final = frozenset({"identical", "ahead"})
"""GitHub's names for the relation of a commit that contains the gate's commit."""

MAX_QUOTE_CHARS: Final = 60


@dataclass(frozen=True)
class GateDecision:
    """Whether the gate is open, and why; ``commit_sha`` is the commit that LML names, None if it names none."""

    is_open: bool
    reason: str
    commit_sha: str | None = None


def after_health(status: int | None, commit_sha: str | None, *, local_dev: bool) -> GateDecision | None:
    """Decide after the answer to ``/health``, with that HTTP status.

    None means undecided: an LML that names no commit must be probed, another commit than the gate's must be compared.
    """
    if status is None or not 200 <= status < 300:  # noqa: PLR2004 - HTTP's successes
        return GateDecision(False, f"LML answered {HEALTH.path} with {status}; it gets no requests until it is healthy")
    if commit_sha is None:
        if local_dev:
            return GateDecision(True, "LML does not say which commit it runs, and LOCAL_DEV=1 trusts it")
        return None
    return (
        GateDecision(True, "LML runs the commit of the gate", commit_sha) if commit_sha.startswith(GATE_SHA) else None
    )


def after_probe(status: int | None, why: str) -> GateDecision:
    """Decide after a refresh of no ids, by its HTTP status; None means no answer, for the reason ``why``."""
    if status is None:
        return GateDecision(False, f"LML does not say which commit it runs, and could not be probed: {why}")
    if status in ABSENT:
        return GateDecision(
            False, f"this LML is too old: it has no {PROBE.path} (it answered {status}); deploy a newer one"
        )
    return GateDecision(True, f"LML does not say which commit it runs, but has {PROBE.path} (it answered {status})")


def after_compare(status: int, relation: object, commit_sha: str) -> GateDecision:
    """Decide after GitHub's answer: its HTTP status, and how LML's commit relates to the gate's."""
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's successes
        return unknown_ancestry(
            f"GitHub answered {status}; it must know {REPOSITORY} and that commit (is GITHUB_TOKEN right?)", commit_sha
        )
    if isinstance(relation, str) and relation in CONTAINING:
        return GateDecision(True, f"LML's commit contains {GATE_SHA}: GitHub calls it {relation}", commit_sha)
    if isinstance(relation, str):
        why = f"GitHub calls it {quoted(relation)}; deploy a newer LML"
        return GateDecision(False, f"LML's commit {quoted(commit_sha)} does not contain {GATE_SHA}: {why}", commit_sha)
    return unknown_ancestry("GitHub's answer does not say", commit_sha)


def unknown_ancestry(why: str, commit_sha: str) -> GateDecision:
    """Refuse a commit of which it is unknown whether it contains the gate's."""
    return GateDecision(
        False, f"whether LML's commit {quoted(commit_sha)} contains {GATE_SHA} is not known: {why}", commit_sha
    )


def quoted(text: str) -> str:
    """Return a text from outside as one short printable word."""
    return ascii(text[:MAX_QUOTE_CHARS])
