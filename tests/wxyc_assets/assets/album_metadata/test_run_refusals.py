"""What a run refuses: shards that another run has locked, and a database without our schema."""

import uuid

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, all_match, serve_lookups
from tests.wxyc_assets.assets.album_metadata.harness import AlbumMetadataRuns
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.runs import advisory_locks


def test_locked_shard_is_refused_with_the_holders_name(albums):
    with advisory_locks.run_locks(albums.postgres, "the-other-run") as locks:
        assert locks.take([advisory_locks.unit("album_metadata", 4)]) == []
        with serve_lookups(all_match) as lml:
            report = albums.run(lml.url)
    assert report.verdict == "failed"
    assert "the-other-run" in report.reason
    assert {album_id_of(item) % 16 for call in lml.asked for item in call} == set(range(16)) - {4}
    assert sorted(albums.credited) == [shard for shard in range(16) if shard != 4]
    assert report.counters.scanned == 150


def test_run_holds_the_locks_of_its_shards_and_its_run_id(albums):
    held: list[set[str]] = []
    run_id = str(uuid.uuid4())
    units = [advisory_locks.run_unit(run_id), *(advisory_locks.unit("album_metadata", s) for s in range(16))]

    def look_and_answer(items):
        with albums.postgres.connect() as connection:
            held.append(advisory_locks.held_units(connection, units))
        return all_match(items)

    with serve_lookups(look_and_answer) as lml:
        albums.run(lml.url, run_id=run_id, batch_size=50)
    assert held == [set(units)] * 16
    albums.wait_until_released(units)


def test_database_without_our_schema_is_refused_without_calls(database):
    runs = AlbumMetadataRuns(Postgres(database))
    with serve_lookups(all_match) as lml, pytest.raises(MigrationError, match="wxyc migrate"):
        runs.run(lml.url)
    assert lml.asked == []
    (line,) = runs.lines
    assert (line["step"], line["error_name"]) == ("failed", "MigrationError")
