"""What a run of flowsheet_enrichment shows a person: numbers to plot over the shards, and one small table."""

import dagster as dg

from wxyc_assets.credit import OutcomeTable, credit
from wxyc_assets.flowsheet_enrichment.run_report import RunReport, ShardDone
from wxyc_assets.operator import RunSummary

_TABLE = OutcomeTable(
    inputs="plays",
    meanings={
        "flipped": "marked as enriched",
        "overtaken": "somebody else changed it first",
        "locked": "somebody else held it; still pending",
        "writer_error": "the table refused it; quarantined",
    },
    nothing="nothing waited",
)


def materialization(done: ShardDone) -> dg.AssetMaterialization:
    """Return the credit of one shard, with its counts."""
    return credit(
        "flowsheet_enrichment", done.shard, done.counters.stored() | {"run_paused_ms": done.run_paused_ms}, _TABLE
    )


def summary(report: RunReport) -> RunSummary:
    """Return what the command line prints of a run."""
    return RunSummary(
        partitions=[str(shard) for shard in sorted(report.request.shards)],
        totals=report.counters.stored(),
        verdict=report.verdict,
        findings=report.findings,
        reason=report.reason,
        dry_run=report.request.dry_run,
    )
