"""What a pass shows a person."""

from tests.wxyc_assets.flowsheet_enrichment.passes import request
from wxyc_assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.flowsheet_enrichment.report import materialization, summary
from wxyc_assets.flowsheet_enrichment.run_report import RunReport, ShardDone

DONE = Counters(scanned=5, flipped=4, locked=1, chunks=1, paused_ms=60_000)


def test_a_credited_shard_shows_its_numbers_the_pause_of_its_run_and_a_table_of_outcomes():
    event = materialization(ShardDone(3, DONE, run_paused_ms=90_000))
    assert event.partition == "3"
    numbers = {name: value.value for name, value in event.metadata.items()}
    table = numbers.pop("outcome")
    assert numbers == {**DONE.stored(), "run_paused_ms": 90_000}
    assert "| 4 | marked as enriched |" in table
    assert "| 1 | somebody else held it; still pending |" in table
    assert "overtaken" not in table
    nothing = materialization(ShardDone(3, Counters(), 0)).metadata["outcome"].value
    assert "| 0 | nothing waited |" in nothing


def test_the_summary_has_the_totals_of_all_shards_under_the_contracts_names():
    report = RunReport(request(shards=[2, 1]), tallied={1: DONE, 2: DONE})
    told = summary(report)
    assert (told.partitions, told.verdict, told.reason) == (["1", "2"], "done", "")
    assert {"scanned": 10, "flipped": 8, "chunks": 2, "paused_ms": 120_000}.items() <= told.totals.items()
