"""What a run of album_metadata shows a person: numbers to plot over the shards, and one small table."""

import dagster as dg

from wxyc_assets.album_metadata.drain import ShardDone
from wxyc_assets.album_metadata.run_report import RunReport
from wxyc_assets.credit import OutcomeTable, credit
from wxyc_assets.operator import RunSummary

_TABLE = OutcomeTable(
    inputs="albums",
    meanings={
        "match": "LML knows it",
        "upserts": "of these: row written",
        "match_without_artwork": "of these: nothing to write",
        "rows_kept_newer": "of these: somebody wrote a newer row meanwhile",
        "writer_error": "of these: the table refused the row; quarantined",
        "no_match": "LML does not know it; it rests",
        "error": "LML had no usable answer; still to be asked",
        "unexpected_index": "answered under a foreign index; still to be asked",
        "skipped_unresolvable": "no artist, or flagged as unavailable; not asked",
        "deferred": "held back: it rests, or LML is left alone",
    },
    nothing="nothing was pending",
)


def materialization(done: ShardDone) -> dg.AssetMaterialization:
    """Return the credit of one shard, with its counts."""
    return credit("album_metadata", done.shard, done.counters.stored(), _TABLE)


def summary(report: RunReport) -> RunSummary:
    """Return what the command line prints of a run."""
    return RunSummary(
        partitions=[str(shard) for shard in sorted(report.request.shards)],
        totals=report.counters.totals(),
        verdict=report.verdict,
        findings=report.findings,
        reason=report.reason,
        dry_run=report.request.dry_run,
        dry_run_report=report.dry_run_report,
    )
