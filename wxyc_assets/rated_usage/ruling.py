"""What follows from the rows that a run deleted and the events that it could not bill: the one place that says so. Pure."""

from dataclasses import dataclass
from typing import Literal

from wxyc_assets.run_origin import RunOrigin

Level = Literal["info", "error"]


@dataclass(frozen=True)
class Ruling:
    """How loudly to say what happened, whether the check on deletions passes, and how the run ends."""

    deletions_level: Level
    deletions_pass: bool
    summary_level: Level
    verdict: Literal["done", "anomaly"]


def rule(origin: RunOrigin, *, deletions: int, anomalies: int) -> Ruling:
    """Decide.

    A routine run that deletes a billed row is an error: nobody asked for money to vanish. An explicit one was asked to make
    the rows right, and a deletion is what it came for. Events that could not be billed are an anomaly either way; deletions
    alone leave the summary calm. Source: contract/rated-usage.md, "cmd/rater".
    """
    unasked = deletions > 0 and origin == "routine"
    return Ruling(
        deletions_level="error" if unasked else "info",
        deletions_pass=not unasked,
        summary_level="error" if anomalies else "info",
        verdict="anomaly" if anomalies or unasked else "done",
    )
