"""Owns what the gate makes of each answer that it gets. Pure.

Source: contract/rotation-cache.md, "Deploy gate".
"""

from dataclasses import dataclass
from typing import Final

from resources.lml.endpoints import HEALTH, PROBE

GATE_SHA: Final = "8a1344c"
"""The commit of LML that made cache refreshes what this code expects; older ones are refused."""

REPOSITORY: Final = "WXYC/library-metadata-lookup"

ABSENT: Final = frozenset({404, 405})
"""The only statuses that mean that LML has no such endpoint. Every other one was said by something that is there."""

CONTAINING: Final = frozenset({"identical", "ahead"})
"""How a commit that contains the gate's stands to it, in the words of GitHub's compare."""

LONGEST_QUOTE: Final = 60


@dataclass(frozen=True)
class Ruling:
    """Whether the gate is open, and why; ``commit_sha`` is what LML calls itself, None if it does not say."""

    is_open: bool
    reason: str
    commit_sha: str | None = None


def after_health(status: int | None, commit_sha: str | None, *, local_dev: bool) -> Ruling | None:
    """Decide on LML's own word, an answer with that HTTP status.

    None where it does not suffice: an LML that names no commit is to be probed, the commit that it names to be compared.
    """
    if status is None or not 200 <= status < 300:  # noqa: PLR2004 - HTTP's successes
        return Ruling(False, f"LML answered {HEALTH.path} with {status}; nothing is asked of it until it is well")
    if commit_sha is None:
        if local_dev:
            return Ruling(True, "LML does not say which commit it runs, and LOCAL_DEV=1 trusts it")
        return None
    return Ruling(True, "LML runs the commit of the gate", commit_sha) if commit_sha.startswith(GATE_SHA) else None


def after_probe(status: int | None, why: str) -> Ruling:
    """Decide on the status of a refresh of nothing; None is no answer, for the reason ``why``."""
    if status is None:
        return Ruling(False, f"LML does not say which commit it runs, and could not be probed: {why}")
    if status in ABSENT:
        return Ruling(False, f"this LML is too old: it has no {PROBE.path} (it answered {status}); deploy a newer one")
    return Ruling(True, f"LML does not say which commit it runs, but has {PROBE.path} (it answered {status})")


def after_compare(status: int, relation: object, commit_sha: str) -> Ruling:
    """Decide on what GitHub said: its HTTP status, and how LML's commit stands to the gate's."""
    if not 200 <= status < 300:  # noqa: PLR2004 - HTTP's successes
        return unknown_ancestry(
            f"GitHub answered {status}; it must know {REPOSITORY} and that commit (is GITHUB_TOKEN right?)", commit_sha
        )
    if isinstance(relation, str) and relation in CONTAINING:
        return Ruling(True, f"LML's commit contains {GATE_SHA}: GitHub calls it {relation}", commit_sha)
    if isinstance(relation, str):
        said = f"GitHub calls it {quoted(relation)}; deploy a newer LML"
        return Ruling(False, f"LML's commit {quoted(commit_sha)} does not contain {GATE_SHA}: {said}", commit_sha)
    return unknown_ancestry("GitHub's answer does not say", commit_sha)


def unknown_ancestry(why: str, commit_sha: str) -> Ruling:
    """Refuse a commit of which nobody can tell whether it contains the gate's."""
    return Ruling(
        False, f"whether LML's commit {quoted(commit_sha)} contains {GATE_SHA} is not known: {why}", commit_sha
    )


def quoted(text: str) -> str:
    """Return a foreign text as one short printable word."""
    return ascii(text[:LONGEST_QUOTE])
