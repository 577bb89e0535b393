"""What a run of library_identity shows a person: numbers to plot over the shards, and one small table."""

import dagster as dg

from wxyc_assets.credit import OutcomeTable, credit
from wxyc_assets.library_identity.drain import ShardDone
from wxyc_assets.library_identity.run_report import RunReport
from wxyc_assets.operator import RunSummary

_TABLE = OutcomeTable(
    inputs="libraries",
    meanings={
        "resolved": "identity written",
        "unresolved": "LML does not know it; it rests",
        "compilation": "compilation; it rests",
        "lml_error": "LML did not answer; still to be asked",
        "lml_untrusted_library_id": "answered under a foreign id; still to be asked",
        "lml_cardinality_mismatch": "left out of the answer; still to be asked",
        "contract_violation": "verdict broke the contract; quarantined",
        "writer_error": "the tables refused it; quarantined",
    },
    nothing="nothing needed asking",
)


def materialization(done: ShardDone) -> dg.AssetMaterialization:
    """Return the credit of one shard, with its counts."""
    return credit("library_identity", done.shard, done.counters.stored(), _TABLE)


def summary(report: RunReport) -> RunSummary:
    """Return what the command line prints of a run."""
    return RunSummary(
        partitions=[str(shard) for shard in sorted(report.request.shards)],
        totals=report.counters.totals(),
        verdict=report.verdict,
        findings=report.findings,
        reason=report.reason,
        dry_run=report.request.dry_run,
        dry_run_report=report.counters.dry_run_report() if report.request.dry_run else None,
    )
