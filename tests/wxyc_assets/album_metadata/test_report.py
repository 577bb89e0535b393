"""What a person sees of a run: numbers to plot, and one small table."""

import dagster as dg

from tests.wxyc_assets.album_metadata.runs import request
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.drain import ShardDone
from wxyc_assets.album_metadata.report import materialization, summary
from wxyc_assets.album_metadata.run_report import RunReport


def test_a_shards_credit_has_every_counter_as_a_number_and_a_table_of_what_happened():
    counters = Counters(scanned=7, match=4, upserts=3, writer_error=1, no_match=3)
    credit = materialization(ShardDone(11, counters, 7))
    assert (credit.asset_key, credit.partition) == (dg.AssetKey("album_metadata"), "11")
    assert {name: value.value for name, value in credit.metadata.items() if name != "outcome"} == counters.stored()
    table = credit.metadata["outcome"].value.splitlines()
    assert table[:2] == ["| albums | outcome |", "|---:|---|"]
    assert [row.split("|")[1].strip() for row in table[2:]] == ["4", "3", "1", "3"]


def test_a_shard_with_nothing_pending_says_so():
    table = materialization(ShardDone(0, Counters(), 0)).metadata["outcome"].value
    assert table.splitlines()[2:] == ["| 0 | nothing was pending |"]


def test_the_summary_has_the_contracts_totals_and_the_report_of_a_dry_run_only():
    done = [ShardDone(2, Counters(scanned=3, match=3), 3)]
    real = summary(RunReport(request(shards=[2, 1]), done))
    dry = summary(RunReport(request(shards=[2, 1], dry_run=True), done, dry_run_report={"batches": 1}))
    assert (real.partitions, real.totals["match"], real.verdict) == (["1", "2"], 3, "done")
    assert real.dry_run_report is None
    assert dry.dry_run_report == {"batches": 1}
