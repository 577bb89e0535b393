"""What a run logs and shows while it works."""

from tests.run_harness import RecordedProgress
from wxyc_assets.assets.flowsheet_enrichment.drain import CHUNK_PLAYS


def test_log_lines_have_the_contracts_steps_and_fields(flowsheet):
    report = flowsheet.run(shards=[2, 1])
    assert [line["step"] for line in flowsheet.lines] == [
        "started",
        "post_pass_started",
        "chunk_done",
        "post_pass_update_done",
        "finished",
    ]
    assert '"step":"post_pass_update_done"' in flowsheet.log_text
    base = {"repo": "wxyc_assets", "tool": "album-level-backfill", "run_id": report.request.run_id, "level": "info"}
    assert all(base.items() <= line.items() for line in flowsheet.lines)
    started = {"shards": [1, 2], "chunk_size": CHUNK_PLAYS, "lookback_seconds": 300, "dry_run": False}
    assert started.items() <= flowsheet.steps("started")[0].items()
    assert flowsheet.steps("post_pass_started")[0]["statement_timeout_ms"] == 60_000
    done = flowsheet.steps("post_pass_update_done")[0]
    assert done["flipped"] == 60
    assert 0 <= done["wall_clock_ms"] < 60_000
    assert report.counters.stored().items() <= flowsheet.steps("finished")[0].items()
    assert {"chunk_index": 1, "flipped": 60}.items() <= flowsheet.steps("chunk_done")[0].items()


def test_progress_shows_the_total_and_each_chunk(flowsheet, small_chunks):
    flowsheet.progress = recorded = RecordedProgress()
    flowsheet.run()
    assert recorded.calls[0] == ("flowsheet_enrichment", 480, "plays")
    assert sum(recorded.calls[1:-1]) == 480
    assert len(recorded.calls) == 12
    assert recorded.calls[-1] == "finish"
