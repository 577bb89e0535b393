"""What must hold after a run of flowsheet_enrichment, decided on its numbers. Pure."""

from collections.abc import Mapping

from wxyc_assets.accounting import unaccounted
from wxyc_assets.finding import Finding
from wxyc_assets.flowsheet_enrichment.counters import Counters


def of_plays(counters: Counters, *, plays_read: int, distrusted: Mapping[int, int]) -> list[Finding]:
    """Return what a run can say of the plays it read, a dry run too.

    ``distrusted`` has, for each shard that was refused, how many answers of its latest album_metadata run were unexpected.
    """
    disagreement = unaccounted(inputs_read=plays_read, scanned=counters.scanned, in_buckets=counters.accounted)
    return [
        Finding(
            "accounting_holds",
            passed=not disagreement,
            numbers={"inputs_read": plays_read, "scanned": counters.scanned, "accounted": counters.accounted},
            description=disagreement,
        ),
        Finding(
            "metadata_trusted",
            passed=not distrusted,
            numbers={
                "unexpected_index": sum(distrusted.values()),
                **{f"shard_{shard}": count for shard, count in sorted(distrusted.items())},
            },
            description=(
                "plays of these shards wait until album_metadata has run again without answers under an unexpected index"
                if distrusted
                else ""
            ),
            partitions=[str(shard) for shard in sorted(distrusted)],
        ),
    ]


def of_storage(counters: Counters, *, waiting_left: Mapping[int, int]) -> list[Finding]:
    """Return what a run can say of what it left behind; ``waiting_left`` by shard."""
    left = sum(waiting_left.values())
    return [
        Finding(
            "writer_errors_zero",
            passed=counters.writer_error == 0,
            numbers={"writer_error": counters.writer_error, "scanned": counters.scanned},
            description="reasons and digests are in wxyc_assets.quarantine" if counters.writer_error else "",
        ),
        Finding(
            "waiting_left_zero",
            passed=left == 0,
            numbers={
                "waiting_left": left,
                "locked": counters.locked,
                **{f"shard_{shard}": count for shard, count in sorted(waiting_left.items())},
            },
            description=f"{left} plays of enriched albums are still pending; the next run will mark them"
            if left
            else "",
            partitions=[str(shard) for shard, count in sorted(waiting_left.items()) if count],
        ),
    ]
