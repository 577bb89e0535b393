"""What stories know of library_identity from the station's own tables."""

from tests.browser.up import Station

SHARD_IS_STALE = "UPDATE library_identity SET last_verified_at = now() - interval '10 days' WHERE library_id %% 16 = %s"


def stale(station: Station, shard: int) -> int:
    """Return how many libraries of a shard need asking, by the default settings."""
    ((count,),) = station.rows(
        "SELECT count(*) FROM wxyc_assets.eligible_library(now(), '7 days', '30 days', false, false) "
        "WHERE library_id %% 16 = %s",
        shard,
    )
    return int(count)


def asked_again(station: Station, shard: int, run: str) -> dict[str, int]:
    """Return what a run counted in a shard; nothing if it counted nothing."""
    rows = station.rows(
        "SELECT (counters->>'scanned')::int, (counters->>'resolved')::int FROM wxyc_assets.tally "
        "WHERE asset = 'library_identity' AND partition_key = %s AND run_id = %s",
        str(shard),
        run,
    )
    return dict(zip(("scanned", "resolved"), rows[0], strict=True)) if rows else {}
