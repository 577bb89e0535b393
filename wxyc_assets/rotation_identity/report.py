"""What a run of rotation_identity shows a person: numbers to plot from day to day, and one small table."""

import dagster as dg

from wxyc_assets.credit import OutcomeTable
from wxyc_assets.operator import RunSummary
from wxyc_assets.rotation_identity.run_report import RunReport

_TABLE = OutcomeTable(
    inputs="rows",
    meanings={
        "resolved": "has its identity now",
        "unresolved": "LML has no identity for the release",
        "lml_error": "LML had no usable answer; still to be asked",
        "raced": "somebody changed the row meanwhile; left alone",
        "contract_violation": "the answer cannot be right; quarantined",
        "writer_error": "the table refused the row; quarantined",
        "resting": "not asked: it failed three times in a row, and waits a day",
    },
    nothing="no row needed an identity",
)


def materialization(report: RunReport) -> dg.MaterializeResult:
    """Return the credit of a run, with its counts and how the rotation stands after it."""
    counts = report.counters.stored()
    covered = report.coverage.numbers() if report.coverage else {}
    return dg.MaterializeResult(
        asset_key="rotation_identity",
        metadata={"outcome": dg.MetadataValue.md(_TABLE.markdown(counts)), **counts, **covered},
    )


def summary(report: RunReport) -> RunSummary:
    """Return what the command line prints of a run."""
    return RunSummary(
        partitions=[],
        totals=report.counters.stored(),
        verdict=report.verdict,
        findings=report.findings,
        reason=report.reason,
        dry_run=report.request.dry_run,
        dry_run_report=report.dry_run_report,
    )
