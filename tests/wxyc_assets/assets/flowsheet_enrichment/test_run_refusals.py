"""What a run refuses, and what the tables refuse: the other shards and plays are done."""

import pytest

from resources.postgres import Postgres
from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import FlowsheetEnrichmentRuns, tally_metadata
from wxyc_assets.assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.runs import advisory_locks


def test_shard_with_untrusted_metadata_is_refused_by_name(flowsheet):
    """The other shards are done. Once album_metadata has run again without a mismatch, the shard is done too."""
    tally_metadata(flowsheet.postgres, 4, 2, age="1 minute")
    tally_metadata(flowsheet.postgres, 5, 0, age="1 minute")
    report = flowsheet.run()
    assert report.verdict == "failed"
    assert report.reason.startswith("shard 4: its latest album_metadata run (metadata-")
    assert failed_checks(report) == {"metadata_trusted"}
    assert report.counters.flipped == 450
    assert [done.shard for done in flowsheet.credited] == [shard for shard in range(16) if shard != 4]
    assert {
        row[0] for row in flowsheet.rows("SELECT album_id % 16 FROM flowsheet WHERE metadata_status = 'pending'")
    } == {4}
    (line,) = flowsheet.steps("shard_refused")
    assert (line["level"], line["shard"]) == ("warn", 4)
    tally_metadata(flowsheet.postgres, 4, 0, age="0 minutes")
    assert flowsheet.run(shards=[4]).verdict == "done"
    assert flowsheet.waiting() == set()


def test_run_touches_nothing_if_every_shard_is_refused(flowsheet):
    for shard in range(16):
        tally_metadata(flowsheet.postgres, shard, 1, age="1 minute")
    report = flowsheet.run()
    assert (report.verdict, report.counters, failed_checks(report)) == ("failed", Counters(), {"metadata_trusted"})
    assert len(flowsheet.waiting()) == 480
    assert flowsheet.credited == []


def test_locked_shard_is_refused_with_the_holders_name(flowsheet):
    with advisory_locks.run_locks(flowsheet.postgres, "the-other-run") as locks:
        locks.take([advisory_locks.unit("flowsheet_enrichment", 4)])
        report = flowsheet.run()
    assert report.verdict == "failed"
    assert "the-other-run" in report.reason
    assert "flowsheet_enrichment/4" in report.reason
    assert report.counters.flipped == 450


def test_refused_play_is_logged_and_the_others_are_marked(flowsheet, small_chunks):
    flowsheet.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cursed'; END $$;"
        "CREATE TRIGGER refuse BEFORE UPDATE ON flowsheet FOR EACH ROW WHEN (NEW.id = 77) EXECUTE FUNCTION refuse()"
    )
    report = flowsheet.run()
    assert (report.verdict, failed_checks(report)) == ("anomaly", {"writer_errors_zero", "waiting_left_zero"})
    assert (report.counters.flipped, report.counters.writer_error) == (479, 1)
    assert flowsheet.waiting() == {77}
    (line,) = flowsheet.steps("writer_error")
    assert line["flowsheet_id"] == 77
    assert "cursed" in line["error_message"]


def test_database_without_our_schema_is_refused(database):
    flowsheet = FlowsheetEnrichmentRuns(Postgres(database))
    with pytest.raises(MigrationError, match="wxyc migrate"):
        flowsheet.run()
    assert [(line["step"], line["error_name"]) for line in flowsheet.lines] == [("failed", "MigrationError")]
