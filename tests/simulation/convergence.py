"""What happens once faults stop: within a bounded number of runs, everything that can be done is done."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tests.simulation import actions
from tests.simulation.invariants import broken
from tests.simulation.world import World

ROUNDS = (0, 0, 2, 4)
"""The rounds of runs that must suffice, by the days that pass before each: twice at once; after each quarantine has ended;
after each rest has ended and each identity is stale."""

ASSETS = ("library_identity", "album_metadata", "flowsheet_enrichment", "rotation_identity", "rotation_cache")


def converge(world: World) -> Iterator[str]:
    """End all faults, run everything, and yield what breaks an invariant or is still undone."""
    world.lml.faults.clear()
    world.lml.discogs.breaker_state = "closed"
    world.faults = 0
    actions.install_prices(world, "first")
    for days in ROUNDS:
        world.clock.advance(timedelta(days=days).total_seconds())
        for asset in ASSETS:
            yield from _run(world, asset, origin="routine")
    yield from _run(world, "rated_usage", origin="routine")
    yield from _run(world, "rated_usage", origin="explicit", late=True)
    yield from _run(world, "rated_usage", origin="routine")
    yield from undone(world)


def _run(world: World, asset: str, **options: Any) -> Iterator[str]:
    actions.run(world, asset, **options)
    yield from broken(world)
    world.last_run = None


def undone(world: World) -> Iterator[str]:
    """Yield what the runs should have done."""
    checks = {
        "libraries without an identity that LML resolves": "SELECT id FROM library l WHERE canonical_entity_id IS NOT NULL "
        "AND artist_name IS NOT NULL AND unresolved_attempted_at IS NULL "
        "AND NOT EXISTS (SELECT FROM library_identity i WHERE i.library_id = l.id)",
        "stale identities": "SELECT i.library_id FROM library_identity i JOIN library l ON l.id = i.library_id "
        "WHERE i.last_verified_at < now() - interval '1 day' AND l.unresolved_attempted_at IS NULL",
        "pending plays of albums with a match": "SELECT f.id FROM flowsheet f JOIN album_metadata m USING (album_id) "
        "WHERE f.metadata_status = 'pending' AND (m.artwork_url IS NOT NULL OR m.discogs_url IS NOT NULL)",
        "albums of pending plays that LML was not asked about": "SELECT DISTINCT f.album_id FROM flowsheet f "
        "WHERE f.metadata_status = 'pending' AND f.album_id IS NOT NULL "
        "AND NOT EXISTS (SELECT FROM album_metadata m WHERE m.album_id = f.album_id) "
        "AND NOT EXISTS (SELECT FROM wxyc_assets.album_no_match n WHERE n.album_id = f.album_id)",
        "rotation rows without an identity": "SELECT id FROM rotation WHERE lml_identity_id IS NULL "
        "AND discogs_release_id IS NOT NULL AND (kill_date IS NULL OR kill_date > now()::date)",
        "unbilled usage": "SELECT bucket FROM wxyc_assets.unbilled_usage WHERE bucket NOT IN ('before', 'future')",
    }
    for what, query in checks.items():
        if left := world.rows(query):
            yield f"everything_converges: {what}: {left}"
    for library_id, artist, *ids in world.rows(
        "SELECT l.id, l.artist_name, i.wikidata_qid, i.spotify_id, i.apple_music_id FROM library_identity i "
        "JOIN library l ON l.id = i.library_id WHERE i.method <> 'manual'"
    ):
        if tuple(ids) not in {said[:3] for said in world.words.identities[library_id]}:
            yield f"everything_converges: library {library_id} of {artist} has {ids}"
