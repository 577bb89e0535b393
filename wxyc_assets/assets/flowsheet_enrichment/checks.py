"""The checks of flowsheet_enrichment: what each promises, and how a run's numbers decide it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wxyc_assets.assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.runs.counts import unaccounted
from wxyc_assets.runs.findings import QUARANTINED, Check, Finding

CHECKS = (
    Check("accounting_holds", "Every play that was read is counted as scanned, and in exactly one outcome."),
    Check(
        "metadata_trusted",
        "The run refused no shard because its latest album_metadata run met answers with an unexpected index.",
    ),
    Check(
        "writer_errors_zero",
        "Every play could be marked; if the table refuses one play, the others are marked.",
    ),
    Check(
        "waiting_left_zero",
        "No play of these shards that waited when the run began, and whose album was enriched, still waits.",
    ),
    Check(
        "marked_plays_have_metadata",
        "The album of every play that is marked as enriched has its metadata: no row of album_metadata was deleted or emptied.",
        scope="asset",
        stored=True,
    ),
)


@dataclass(frozen=True)
class MarkedWithoutMetadata:
    """Plays that are marked as enriched although their album has no metadata; ``first_albums``: three of the albums at most."""

    plays: int
    albums: int
    first_albums: Sequence[int]


def of_plays(counters: Counters, *, plays_read: int, untrusted: Mapping[int, int]) -> list[Finding]:
    """Return the findings about the plays that the run read; a dry run has them too.

    Args:
        counters: of the run.
        plays_read: how many plays the run read.
        untrusted: for each refused shard, how many answers of its latest album_metadata run had an unexpected index.
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
            passed=not untrusted,
            numbers={
                "unexpected_index": sum(untrusted.values()),
                **{f"shard_{shard}": count for shard, count in sorted(untrusted.items())},
            },
            description=(
                "plays of these shards wait until album_metadata has run again without answers with an unexpected index"
                if untrusted
                else ""
            ),
            partitions=[str(shard) for shard in sorted(untrusted)],
        ),
    ]


def of_marked_plays(lost: MarkedWithoutMetadata) -> Finding:
    """Return the finding about the plays marked by all runs. It warns: a run of this asset cannot write the metadata again."""
    named = ", ".join(map(str, lost.first_albums)) + (" and others" if lost.albums > len(lost.first_albums) else "")
    return Finding(
        "marked_plays_have_metadata",
        passed=lost.plays == 0,
        severity="WARN",
        numbers={"plays": lost.plays, "albums": lost.albums},
        description=f"{lost.plays} plays are marked as enriched, but their albums have no metadata: {named}"
        if lost.plays
        else "",
    )


def of_storage(counters: Counters, *, waiting_left: Mapping[int, int]) -> list[Finding]:
    """Return the findings about the flowsheet after the run; ``waiting_left``: how many plays still wait, by shard."""
    left = sum(waiting_left.values())
    return [
        Finding(
            "writer_errors_zero",
            passed=counters.writer_error == 0,
            numbers={"writer_error": counters.writer_error, "scanned": counters.scanned},
            description=QUARANTINED if counters.writer_error else "",
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
