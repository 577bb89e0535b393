"""Folds the alerts that LML caused into one, the cause first. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from wxyc_assets.monitoring.alerts.rules import Alert, AlertChanges, Recovery
from wxyc_assets.monitoring.alerts.run_facts import WHOLE_ASSET
from wxyc_assets.monitoring.lml_outage.rules import ASKING, FOLLOWING, LmlRun, NextTry, is_reason

LML: Final = "LML"
SOURCE: Final = "lml_down"
FINGERPRINT: Final = f"{LML}/{SOURCE}"


@dataclass(frozen=True)
class LmlContext:
    """What the ledger knows of a run that asked LML, and when a sensor asks again; None: no sensor does."""

    run: LmlRun | None = None
    next_try: NextTry | None = None


def with_lml_cause(changes: AlertChanges, context: LmlContext) -> AlertChanges:
    """Make the alerts that LML caused parts of one alert, raised before them; an answered run without any recovers that one."""
    caused = [alert for alert in changes.raised if _is_caused(alert, context.run)]
    if not caused:
        answered = context.run is not None and context.run.answered > 0
        recovery = [Recovery(LML, "cause", SOURCE, frozenset({WHOLE_ASSET}))] if answered else []
        return AlertChanges(recovered=[*changes.recovered, *recovery], raised=changes.raised)
    folded = [_folded(alert, context) if alert in caused else alert for alert in changes.raised]
    return AlertChanges(changes.recovered, [_cause(caused, context), *folded])


def part_of_lml(conditions: Iterable[Alert]) -> list[Alert]:
    """Make the late and stale partitions of the assets that ask LML parts of its alert, as long as that is open."""
    return [replace(alert, part_of=FINGERPRINT) if alert.asset in ASKING else alert for alert in conditions]


def _is_caused(alert: Alert, run: LmlRun | None) -> bool:
    if alert.part_of:
        return False
    by_words = is_reason(alert.message, alert.error_class)
    if alert.kind == "check":
        return alert.source in FOLLOWING and (by_words or (run is not None and run.unanswered > 0))
    return alert.kind == "run" and by_words


def _cause(caused: Sequence[Alert], context: LmlContext) -> Alert:
    return Alert(
        asset=LML,
        kind="cause",
        source=SOURCE,
        level="error" if any(alert.level == "error" for alert in caused) else "warning",
        message=_message(caused[0], context.run),
        partitions=frozenset({WHOLE_ASSET}),
        details=_next_try(context),
    )


def _message(first: Alert, run: LmlRun | None) -> str:
    if run is None or not run.unanswered:
        return f"LML does not answer: {first.message}"
    asked = run.unanswered + run.answered
    if run.answered:
        return f"LML answers in part only: {run.unanswered} of {asked} inputs of {run.asset} got no answer"
    return f"LML does not answer: none of {asked} inputs of {run.asset} got an answer"


def _folded(alert: Alert, context: LmlContext) -> Alert:
    return replace(alert, part_of=FINGERPRINT, details={**alert.details, **_next_try(context)})


def _next_try(context: LmlContext) -> dict[str, str]:
    if not context.next_try:
        return {}
    sensor = "stale_identities" if context.next_try.after.asset == "library_identity" else "after_outage"
    return {"next_try_at": context.next_try.at.isoformat(timespec="seconds"), "next_try_by": sensor}
