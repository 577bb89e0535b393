"""What a run's end means for the alerts: which it raises, and what has recovered. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from wxyc_assets.alerts.story import WHOLE, AssetStory, Evaluation, RunEnd, RunStory, Trouble

Kind = Literal["check", "unevaluated", "run", "late", "stale"]
Level = Literal["warning", "error"]

BLOCKED = "DagsterAssetCheckFailedError"
"""What Dagster raises when a blocking check has failed: the run's failure has no cause of its own then."""


@dataclass(frozen=True)
class Alert:
    """Something that a person must hear of.

    ``source``: the check or the step. ``partitions``: what has to recover before it is closed; never empty. ``root``: the class
    of the exception at the root of it. ``part_of``: the fingerprint of the alert that has the same cause and tells of this one.
    """

    asset: str
    kind: Kind
    source: str
    level: Level
    message: str
    partitions: frozenset[str]
    root: str = ""
    part_of: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """What makes two alerts the same one: the asset, the check or step, and the root of the failure."""
        return "/".join(filter(None, (self.asset, self.source, self.root)))


@dataclass(frozen=True)
class Recovery:
    """Partitions of which alerts of one kind about an asset no longer hold; ``source`` None: whatever their step."""

    asset: str
    kind: Kind
    source: str | None
    partitions: frozenset[str]


@dataclass(frozen=True)
class Judgement:
    """What a run means for the alerts; recoveries first, since a run's failures are the latest that is known."""

    recovered: Sequence[Recovery]
    raised: Sequence[Alert]


def judge(story: RunStory) -> Judgement:
    """Decide what a finished run recovers and raises, an alert before those that are part of it.

    A failed check raises an alert, whatever became of the run; so do a failed run, and each check that it could not evaluate
    since its step failed. A run that a person ended raises nothing. A dry run raises, and recovers nothing: it mended nothing.
    """
    return Judgement(
        recovered=[recovery for asset in story.assets for recovery in _recoveries(asset, story.end)],
        raised=[alert for asset in story.assets for alert in _alerts(asset, story.end)],
    )


def _recoveries(story: AssetStory, end: RunEnd) -> Iterator[Recovery]:
    if story.dry_run:
        return
    done = frozenset(story.credited)
    for one in story.evaluations:
        yield Recovery(story.asset, "unevaluated", one.check, frozenset({WHOLE}))
        if one.passed:
            yield Recovery(story.asset, "check", one.check, _about(one, done) | {WHOLE})
    # A run that failed though it did all of its partitions has failed as a whole: none of them is a recovery.
    if done and (end == "success" or story.missed):
        yield Recovery(story.asset, "run", None, done | {WHOLE})


def _alerts(story: AssetStory, end: RunEnd) -> Iterator[Alert]:
    failed = [_failed_check(story, one) for one in story.evaluations if not one.passed and one.scope != "watched"]
    yield from failed
    if end != "failure" or story.trouble is None:
        return
    run = _failed_run(story, story.trouble, _cause(story, failed))
    yield run
    for check in sorted(story.unevaluated):
        yield _unevaluated(story, check, story.trouble, run.part_of or run.fingerprint)


def _failed_check(story: AssetStory, one: Evaluation) -> Alert:
    why = one.description or ", ".join(f"{name} {number}" for name, number in one.numbers.items())
    return Alert(
        asset=story.asset,
        kind="check",
        source=one.check,
        level="error" if one.severity == "ERROR" else "warning",
        message=f"{story.asset}: check {one.check} failed" + (f": {why}" if why else ""),
        partitions=_about(one, one.partitions or story.planned),
        details={"numbers": dict(one.numbers), "blocking": one.blocking, "dry_run": story.dry_run},
    )


def _failed_run(story: AssetStory, trouble: Trouble, part_of: str | None) -> Alert:
    return Alert(
        asset=story.asset,
        kind="run",
        source=trouble.step,
        level="error",
        message=f"{story.asset}: run failed: {trouble.reason}",
        # A plan misses nothing: the next run that does its work shows that it could be done.
        partitions=(not story.dry_run and (story.missed or story.planned)) or frozenset({WHOLE}),
        root=trouble.root,
        part_of=part_of,
        details={"stack": trouble.stack, "dry_run": story.dry_run},
    )


def _unevaluated(story: AssetStory, check: str, trouble: Trouble, part_of: str) -> Alert:
    return Alert(
        asset=story.asset,
        kind="unevaluated",
        source=check,
        level="error",
        message=f"{story.asset}: check {check} could not be evaluated: {trouble.reason}",
        partitions=frozenset({WHOLE}),
        root=trouble.root,
        part_of=part_of,
        details={"dry_run": story.dry_run},
    )


def _cause(story: AssetStory, failed: Iterable[Alert]) -> str | None:
    """Return the failed check that made the run fail, if it was one."""
    if story.trouble is None or story.trouble.root != BLOCKED:
        return None
    return next((alert.fingerprint for alert in failed if alert.details["blocking"] and alert.level == "error"), None)


def _about(one: Evaluation, partitions: frozenset[str]) -> frozenset[str]:
    """Return what a check's result speaks of."""
    if one.scope == "asset" or not partitions:
        return frozenset({WHOLE})
    return partitions
