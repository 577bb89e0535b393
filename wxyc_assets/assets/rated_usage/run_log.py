"""Says in the log what a run came to, in the words and at the levels that people who read it know from the predecessor."""

from resources.step_log import StepLog
from wxyc_assets.rated_usage.ruling import rule
from wxyc_assets.rated_usage.run_report import HourDone, Request, RunReport


def hour_rated(done: HourDone, request: Request, log: StepLog) -> None:
    """Write the line of one hour as soon as it is committed: a run that is killed later must not have deleted in silence."""
    deletions = 0 if request.dry_run else done.rated.counters.reconciled_deletions
    say = log.error if rule(request.origin, deletions=deletions, anomalies=0).deletions_level == "error" else log.info
    say("hour_rated", hour=done.hour, **done.rated.stored())


def announce(report: RunReport, log: StepLog) -> None:
    """Write a line for each kind of trouble, then the summary. Source: contract/rated-usage.md, the table of conditions."""
    total, window = report.total, report.window_text
    counters = total.counters
    for step, count, text in (
        ("ambiguous_base", counters.ambiguous_base_events, "AMBIGUOUS-BASE events were left out"),
        ("unattributable", counters.unattributable_events, "UNATTRIBUTABLE billing_event rows"),
        ("unpriced", counters.unpriced_events, "UNPRICED events"),
    ):
        if count:
            log.error(step, message=f"{count} {text} in {window}", count=count, window=window)
    if counters.reconciled_deletions:
        _say_deletions(report, log)
    counts = "".join(
        f", {name}={getattr(counters, name)}"
        for name in ("unpriced_events", "unattributable_events", "ambiguous_base_events")
        if counters.anomalies
    )
    what = "plan: would rate" if report.request.dry_run else "rated"
    message = (
        f"{what} {counters.events_rated} events into {counters.rollups_written} rollups, "
        f"total={total.total_cost} USD{counts} in {window}"
    )
    say = log.error if report.ruling.summary_level == "error" else log.info
    say("summary", message=message, window=window, **total.stored())


def _say_deletions(report: RunReport, log: StepLog) -> None:
    count, window = report.total.counters.reconciled_deletions, report.window_text
    if report.request.dry_run:
        log.info(
            "reconcile", message=f"plan: reconcile would delete {count} rows in {window}", count=count, window=window
        )
        return
    which = "ROUTINE run" if report.request.origin == "routine" else "EXPLICIT backfill"
    say = log.error if report.ruling.deletions_level == "error" else log.info
    say("reconcile", message=f"{which}: reconcile DELETED {count} rows in {window}", count=count, window=window)
