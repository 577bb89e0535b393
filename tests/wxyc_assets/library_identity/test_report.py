"""What a person sees of a run: numbers to plot, and one small table."""

import dagster as dg

from tests.wxyc_assets.library_identity.runs import request
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.drain import ShardDone
from wxyc_assets.library_identity.report import materialization, summary
from wxyc_assets.library_identity.run_report import RunReport


def test_a_shards_credit_has_every_counter_as_a_number_and_a_table_of_what_happened():
    counters = Counters(scanned=7, resolved=4, unresolved=2, writer_error=1, lml_total_latency_ms=9)
    credit = materialization(ShardDone(11, counters, 7))
    assert (credit.asset_key, credit.partition) == (dg.AssetKey("library_identity"), "11")
    numbers = {name: value.value for name, value in credit.metadata.items() if name != "outcome"}
    assert numbers == counters.stored()
    table = credit.metadata["outcome"].value.splitlines()
    assert table[:2] == ["| libraries | outcome |", "|---:|---|"]
    assert [row.split("|")[1].strip() for row in table[2:]] == ["4", "2", "1"]


def test_a_shard_with_nothing_to_ask_says_so():
    table = materialization(ShardDone(0, Counters(), 0)).metadata["outcome"].value
    assert table.splitlines()[2:] == ["| 0 | nothing needed asking |"]


def test_the_summary_has_the_contracts_totals_and_the_locked_report_of_a_dry_run_only():
    done = [ShardDone(2, Counters(scanned=3, resolved=3), 3)]
    real = summary(RunReport(request(shards=[2, 1]), done))
    dry = summary(RunReport(request(shards=[2, 1], dry_run=True), done))
    assert real.partitions == ["1", "2"]
    assert real.totals["rows_resolved"] == 3
    assert real.verdict == "done"
    assert real.dry_run_report is None
    assert dry.totals == real.totals
    assert dry.dry_run_report["would_resolve"] == 3
