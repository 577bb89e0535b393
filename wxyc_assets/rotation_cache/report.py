"""What a run of rotation_cache shows a person: numbers to plot over the days, and one small table."""

import dagster as dg

from wxyc_assets.credit import OutcomeTable, credit
from wxyc_assets.operator import RunSummary
from wxyc_assets.rotation_cache.run_report import RunReport
from wxyc_assets.rotation_cache.store import ASSET

_TABLE = OutcomeTable(
    inputs="identities",
    meanings={
        "warmed": "warmed",
        "not_found": "LML does not know them",
        "not_implemented": "LML cannot warm any of their sources yet",
        "lml_error": "LML gave no usable answer; asked again by the next run",
        "batch_error": "of these: their whole batch got no answer",
        "answer_missing": "of these: left out of their batch's answer",
        "unknown_status": "of these: answered with a status that nobody knows",
    },
    nothing="no active rotation row has an identity",
)


def materialization(report: RunReport) -> dg.AssetMaterialization:
    """Return the credit of the day, with its counts."""
    return credit(ASSET, report.request.days[0], report.counters.stored(), _TABLE)


def summary(report: RunReport) -> RunSummary:
    """Return what the command line prints of a run."""
    return RunSummary(
        partitions=list(report.request.days),
        totals=report.counters.stored(),
        verdict=report.verdict,
        findings=report.findings,
        reason=report.reason,
        dry_run=report.request.dry_run,
        dry_run_report=report.dry_run_report,
    )
