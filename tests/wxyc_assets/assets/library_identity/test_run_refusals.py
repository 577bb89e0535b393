"""What a run refuses: shards that another run has locked, and a database without our schema."""

import uuid

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.assets.library_identity.fake_lml import all_single_artists, requested_ids, serve_verdicts
from tests.wxyc_assets.assets.library_identity.harness import LibraryIdentityRuns
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.runs import advisory_locks


def test_locked_shard_is_refused_with_the_holders_name(library):
    with advisory_locks.run_locks(library.postgres, "the-other-run") as locks:
        assert locks.take([advisory_locks.unit("library_identity", 4)]) == []
        with serve_verdicts(all_single_artists) as lml:
            report = library.run(lml.url)
    assert report.verdict == "failed"
    assert "the-other-run" in report.reason
    assert "library_identity/4" in report.reason
    assert {one % 16 for one in requested_ids(lml)} == set(range(16)) - {4}
    assert sorted(library.credited) == [shard for shard in range(16) if shard != 4]
    assert library.tallied(report.request.run_id)["resolved"] == 375


def test_run_holds_the_locks_of_its_shards_and_its_run_id(library):
    held: list[set[str]] = []
    run_id = str(uuid.uuid4())
    units = [advisory_locks.run_unit(run_id), *(advisory_locks.unit("library_identity", s) for s in range(16))]

    def look_and_answer(inputs):
        with library.postgres.connect() as connection:
            held.append(advisory_locks.held_units(connection, units))
        return all_single_artists(inputs)

    with serve_verdicts(look_and_answer) as lml:
        library.run(lml.url, run_id=run_id)
    assert held == [set(units)] * 16
    library.wait_until_released(units)


def test_database_without_our_schema_is_refused_without_calls(database):
    runs = LibraryIdentityRuns(Postgres(database))
    with serve_verdicts(all_single_artists) as lml, pytest.raises(MigrationError, match="wxyc migrate"):
        runs.run(lml.url)
    assert lml.asked == []
    assert [line["step"] for line in runs.lines] == ["init", "failed"]
