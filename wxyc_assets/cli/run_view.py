"""What ``wxyc run`` shows on a terminal: how the run ended, its counts, its failed checks, and the report of a dry run."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from wxyc_assets.cli.outcome import ANOMALY, DONE, FAILED, numbers
from wxyc_assets.runs import runbook

ENDED = {DONE: "done", ANOMALY: "done, with an anomaly to look at", FAILED: "failed"}
ALERTS = "`wxyc alerts` says what to do"
MAX_HOURS = 50
"""How many hours of a plan are listed. All are added up, and all are in the object of ``--json``."""


def run_lines(printed: Mapping[str, Any], exit_code: int) -> list[str]:
    """Return the result of a run as lines; ``printed`` is the object that the command prints."""
    dry_run = "dry run, nothing written: " if printed["dry_run"] else ""
    lines = [f"{printed['asset']}: {dry_run}{ENDED[exit_code]}"]
    lines.append(f"  {', '.join(numbers(printed['totals'])) or 'nothing was counted'}")
    lines += _report_lines(printed.get("dry_run_report", {}))
    lines += _check_lines(printed["checks"])
    for window in printed.get("push_needed", ()):
        lines.append(
            f"  run token-push for {window['since']} to {window['until']}: bills that it posts no more have changed"
        )
    if reason := printed.get("reason"):
        lines.append(f"  {reason}")
    return lines


def _check_lines(checks: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    failed = [check for check in checks if not check["passed"]]
    yield f"  {len(checks) - len(failed)} of {len(checks)} checks passed"
    for check in failed:
        yield f"  FAIL {check['name']} ({check['severity']}): {check.get('description') or ALERTS}"
        yield f"         `{runbook.command(runbook.section(check['name']))}` says what it means"


def _report_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Return the report of a dry run; that of a plan has a line for each hour that would change."""
    hours: Mapping[str, Mapping[str, Any]] = report.get("hours", {})
    if not hours:
        if found := numbers(report):
            yield f"  report: {', '.join(found)}"
        return
    changing = {hour: counts for hour, counts in hours.items() if _changes(counts)}
    yield f"  {len(changing)} of {len(hours)} hours would change"
    for hour, counts in list(changing.items())[:MAX_HOURS]:
        yield f"  {hour}  {_change(counts)}"
    if len(changing) > MAX_HOURS:
        yield f"  and {len(changing) - MAX_HOURS} hours more: --json lists all"
    yield f"  in total  {_change(report['total'])}"


def _changes(counts: Mapping[str, Any]) -> bool:
    return any(counts[name] for name in ("rows_inserted", "rows_changed", "reconciled_deletions"))


def _change(counts: Mapping[str, Any]) -> str:
    return (
        f"{counts['rows_inserted']} new, {counts['rows_changed']} changed, {counts['reconciled_deletions']} gone, "
        f"{counts['rows_unchanged']} as they are: {counts['cost_before']} USD become {counts['total_cost']} USD"
    )
