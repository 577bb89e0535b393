"""Decides what follows from rows that a run deleted and events that it could not bill. Pure."""

from dataclasses import dataclass
from typing import Literal

from wxyc_assets.runs.origin import RunOrigin

Level = Literal["info", "error"]


@dataclass(frozen=True)
class PolicyDecision:
    """The log levels, whether the check on deletions passes, and the verdict of the run."""

    deletions_level: Level
    deletions_pass: bool
    summary_level: Level
    verdict: Literal["done", "anomaly"]


def decide(origin: RunOrigin, *, deletions: int, anomalies: int) -> PolicyDecision:
    """Return the decision for a run.

    A deletion by a routine run is an error: it removes billed money without a request. An explicit run is requested to correct
    rows, which can include deletions. Events that could not be billed are an anomaly in both; deletions alone leave the summary
    at level info. Source: contract/rated-usage.md, "cmd/rater".
    """
    unrequested = deletions > 0 and origin == "routine"
    return PolicyDecision(
        deletions_level="error" if unrequested else "info",
        deletions_pass=not unrequested,
        summary_level="error" if anomalies else "info",
        verdict="anomaly" if anomalies or unrequested else "done",
    )
