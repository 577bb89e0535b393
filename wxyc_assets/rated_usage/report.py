"""What a run of rated_usage shows a person: numbers to plot over the hours, and one small table."""

from dataclasses import replace

import dagster as dg

from wxyc_assets.credit import OutcomeTable
from wxyc_assets.operator import RunSummary
from wxyc_assets.rated_usage.plan import plan_markdown
from wxyc_assets.rated_usage.run_report import HourDone, RunReport
from wxyc_assets.rehearsal import rehearsed

_TABLE = OutcomeTable(
    inputs="count",
    meanings={
        "events_rated": "events billed",
        "unpriced_events": "events without a price",
        "unattributable_events": "events without customer, deployment or model",
        "ambiguous_base_events": "events of a fine-tune with two bases",
        "rows_inserted": "rows inserted",
        "rows_changed": "rows changed",
        "rows_unchanged": "rows that were right already",
        "reconciled_deletions": "rows deleted",
    },
    nothing="no usage",
)


def materialization(done: HourDone) -> dg.AssetMaterialization:
    """Return the credit of one hour. Money is text, exact; ``cost_usd`` is the nearest number, for the plot only."""
    rated = done.rated
    return dg.AssetMaterialization(
        "rated_usage",
        partition=done.hour,
        metadata={
            "outcome": dg.MetadataValue.md(_TABLE.markdown(rated.counters.stored())),
            **rated.stored(),
            "rollups": rated.counters.rollups_written,
            "anomalies": rated.counters.anomalies,
            "cost_usd": dg.MetadataValue.float(float(str(rated.total_cost))),
            "price_digest": done.price_digest,
        },
    )


def plan(report: RunReport) -> dg.AssetObservation:
    """Return the event that shows the plan: what would change in which hour, and the numbers of all of them."""
    table = dg.MetadataValue.md(plan_markdown(report.hours))
    return rehearsed("rated_usage", replace(summary(report), dry_run_report=None), shown={"plan": table})


def summary(report: RunReport) -> RunSummary:
    """Return what the command line prints of a run; money is an exact amount that prints itself as decimal text."""
    return RunSummary(
        partitions=sorted(report.request.hours),
        totals=report.total.totals(),
        verdict=report.verdict,
        findings=report.findings,
        reason=report.reason,
        dry_run=report.request.dry_run,
        dry_run_report=report.plan if report.request.dry_run else None,
    )
