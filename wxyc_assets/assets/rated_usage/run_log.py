"""Logs the results of a run, in the predecessor's words and at its levels."""

from resources.step_log import StepLog
from wxyc_assets.assets.rated_usage.deletion_policy import decide
from wxyc_assets.assets.rated_usage.run_report import HourDone, HourSealed, Request, RunReport
from wxyc_assets.assets.rated_usage.unpushed import needed


def log_hour(done: HourDone, request: Request, log: StepLog) -> None:
    """Log one hour as soon as it is committed, so that its deletions are in the log even if the run is killed later."""
    deletions = 0 if request.dry_run else done.rated.counters.reconciled_deletions
    level = decide(request.origin, deletions=deletions, anomalies=0).deletions_level
    log_at_level = log.error if level == "error" else log.info
    log_at_level("hour_rated", hour=done.hour, **done.rated.stored())


def log_sealed(sealed: HourSealed, log: StepLog) -> None:
    """Log a sealed hour that keeps a bill which rating would change."""
    rated = sealed.adjustment
    log.warning(
        "hour_sealed",
        message=f"{sealed.hour} is sealed and keeps its bill; rating would change {rated.counters.changes} rows "
        f"and move {rated.cost_moved} USD",
        hour=sealed.hour,
        rows=rated.counters.changes,
        cost_moved=str(rated.cost_moved),
    )


def log_summary(report: RunReport, log: StepLog) -> None:
    """Log a line for each kind of problem, then the summary. Source: contract/rated-usage.md, the table of conditions."""
    total, window = report.total, report.window_text
    counters = total.counters
    for step, count, text in (
        ("ambiguous_base", counters.ambiguous_base_events, "AMBIGUOUS-BASE events were left out"),
        ("ambiguous_org", counters.ambiguous_org_events, "AMBIGUOUS-ORG events were left out"),
        ("unattributable", counters.unattributable_events, "UNATTRIBUTABLE billing_event rows"),
        ("unpriced", counters.unpriced_events, "UNPRICED events"),
    ):
        if count:
            log.error(step, message=f"{count} {text} in {window}", count=count, window=window)
    if counters.reconciled_deletions:
        _log_deletions(report, log)
    counts = "".join(
        f", {name}={getattr(counters, name)}"
        for name in ("unpriced_events", "unattributable_events", "ambiguous_base_events")
        if counters.anomalies
    )
    if counters.ambiguous_org_events:  # a station whose tables have no organisation keeps the predecessor's line
        counts += f", ambiguous_org_events={counters.ambiguous_org_events}"
    if report.push_needed:
        windows = [window.as_json() for window in report.push_needed]
        log.warning("push_needed", message=needed(report.push_needed), windows=windows)
    action = "plan: would rate" if report.request.dry_run else "rated"
    message = (
        f"{action} {counters.events_rated} events into {counters.rollups_written} rollups, "
        f"total={total.total_cost} USD{counts} in {window}"
    )
    log_at_level = log.error if report.policy_decision.summary_level == "error" else log.info
    log_at_level("summary", message=message, window=window, **total.stored())


def _log_deletions(report: RunReport, log: StepLog) -> None:
    count, window = report.total.counters.reconciled_deletions, report.window_text
    if report.request.dry_run:
        log.info(
            "reconcile", message=f"plan: reconcile would delete {count} rows in {window}", count=count, window=window
        )
        return
    which = "ROUTINE run" if report.request.origin == "routine" else "EXPLICIT backfill"
    message = f"{which}: reconcile DELETED {count} rows in {window}"
    log_at_level = log.error if report.policy_decision.deletions_level == "error" else log.info
    log_at_level("reconcile", message=message, count=count, window=window)
