"""The state of library_identity in the station's tables."""

from tests.browser.up import Station

MAKE_SHARD_STALE = (
    "UPDATE library_identity SET last_verified_at = now() - interval '10 days' WHERE library_id %% 16 = %s"
)

ELIGIBLE = "SELECT library_id FROM wxyc_assets.eligible_library(now(), '7 days', '30 days', false, false)"
"""The libraries that are eligible, with the default settings."""


def stale_count(station: Station, shard: int) -> int:
    """Return the number of libraries of a shard that are eligible, with the default settings."""
    ((count,),) = station.rows(
        "SELECT count(*) FROM wxyc_assets.eligible_library(now(), '7 days', '30 days', false, false) "
        "WHERE library_id %% 16 = %s",
        shard,
    )
    return int(count)


def counts_of(station: Station, shard: int, run: str) -> dict[str, int]:
    """Return the counts of a run in a shard; empty if the run has none."""
    rows = station.rows(
        "SELECT (counters->>'scanned')::int, (counters->>'resolved')::int FROM wxyc_assets.tally "
        "WHERE asset = 'library_identity' AND partition_key = %s AND run_id = %s",
        str(shard),
        run,
    )
    return dict(zip(("scanned", "resolved"), rows[0], strict=True)) if rows else {}
