"""A whole run over a real flowsheet: what it marks and counts, and what a dry run leaves."""

from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import tally_metadata
from wxyc_assets.assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.runs import advisory_locks
from wxyc_assets.runs.progress import NoProgress

PLAYS = "SELECT id, metadata_status::text, metadata_attempt_at FROM flowsheet ORDER BY id"
CONTRACT = """
UPDATE flowsheet f SET metadata_status='enriched_match', metadata_attempt_at=COALESCE(f.metadata_attempt_at, now())
FROM album_metadata am WHERE f.album_id=am.album_id AND f.metadata_status='pending' AND f.album_id IS NOT NULL
AND f.entry_type='track' AND f.artist_name IS NOT NULL
"""


def test_run_marks_what_the_predecessors_statement_marks(flowsheet, small_chunks):
    flowsheet.execute("UPDATE flowsheet SET metadata_attempt_at = '2026-01-02 03:04:05+00' WHERE id % 3 = 0")
    flowsheet.execute("UPDATE flowsheet SET artist_name = NULL WHERE id % 5 = 0")
    flowsheet.execute("UPDATE flowsheet SET metadata_status = 'enriched_no_match' WHERE id % 7 = 0")
    flowsheet.execute("DELETE FROM album_metadata WHERE album_id % 11 = 0")
    with flowsheet.postgres.connect() as connection, connection.transaction(force_rollback=True):
        expected = connection.execute(CONTRACT).rowcount
        wanted = [(one, status, attempt is not None) for one, status, attempt in connection.execute(PLAYS)]
    report = flowsheet.run()
    assert (report.verdict, report.reason, failed_checks(report)) == ("done", "", set())
    assert [(one, status, attempt is not None) for one, status, attempt in flowsheet.rows(PLAYS)] == wanted
    assert (report.counters.scanned, report.counters.flipped) == (expected, expected)
    assert report.counters.chunks == -(-expected // 50)


def test_each_shard_is_credited_and_tallied_with_its_own_counts(flowsheet):
    report = flowsheet.run()
    assert [done.shard for done in flowsheet.credited] == list(range(16))
    assert {done.counters.flipped for done in flowsheet.credited} == {30}
    stored = flowsheet.rows("SELECT partition_key, counters, complete FROM wxyc_assets.tally")
    assert {int(key): (Counters.from_stored(counters), complete) for key, counters, complete in stored} == {
        shard: (counters, True) for shard, counters in report.tallied.items()
    }
    assert flowsheet.rows("SELECT asset, origin, verdict, reason, ended_at >= started_at FROM wxyc_assets.run") == [
        ("flowsheet_enrichment", "explicit", "done", None, True)
    ]


def test_second_run_marks_no_play_and_is_credited(flowsheet):
    flowsheet.run()
    again = flowsheet.run()
    assert (again.verdict, again.counters) == ("done", Counters())
    assert len(flowsheet.credited) == 32


def test_only_plays_of_the_requested_shards_are_marked(flowsheet, small_chunks):
    report = flowsheet.run(shards=[3, 5])
    assert report.counters.flipped == 60
    marked = flowsheet.rows(
        "SELECT DISTINCT album_id % 16 FROM flowsheet WHERE metadata_status <> 'pending' ORDER BY 1"
    )
    assert marked == [(3,), (5,)]
    assert [done.shard for done in flowsheet.credited] == [3, 5]


def test_dry_run_writes_nothing_and_counts_as_a_run_does(flowsheet, small_chunks):
    """It neither pauses for a live DJ nor waits for the locks of another run."""
    flowsheet.add_live_track()
    before = flowsheet.everything()
    with advisory_locks.run_locks(flowsheet.postgres, "the-other-run") as locks:
        locks.take([advisory_locks.unit("flowsheet_enrichment", shard) for shard in range(16)])
        dry = flowsheet.run(dry_run=True)
    assert flowsheet.everything() == before
    assert (flowsheet.slept, flowsheet.credited, dry.verdict) == ([], [], "done")
    assert {finding.name for finding in dry.findings} == {"accounting_holds", "metadata_trusted"}
    flowsheet.remove_live_track()
    assert flowsheet.run().counters == dry.counters


def test_dry_run_locks_its_run_id_and_no_shard(flowsheet, small_chunks):
    class Look(NoProgress):
        def advance(self, _count):
            units = ["run/dry", *(advisory_locks.unit("flowsheet_enrichment", shard) for shard in range(16))]
            with flowsheet.postgres.connect() as connection:
                held.append(advisory_locks.held_units(connection, units))

    held: list[set[str]] = []
    flowsheet.progress = Look()
    flowsheet.run(dry_run=True, run_id="dry")
    assert held == [{"run/dry"}] * 10
    assert flowsheet.rows("SELECT FROM wxyc_assets.run") == []


def test_dry_run_names_the_shards_that_a_run_would_refuse(flowsheet):
    tally_metadata(flowsheet.postgres, 4, 2, age="1 minute")
    dry = flowsheet.run(dry_run=True)
    assert (dry.verdict, dry.counters.flipped) == ("failed", 450)
    assert "shard 4" in dry.reason
