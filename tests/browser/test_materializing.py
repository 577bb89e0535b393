"""A person materializes one shard from its page, and sees it credited."""

from tests.browser.identities import SHARD_IS_STALE, asked_again, stale

SHARD = 3


def test_one_shard_is_materialized_from_its_page_and_credited_with_its_numbers(ui, station):
    station.execute(SHARD_IS_STALE, SHARD)
    needed = stale(station, SHARD)
    assert needed > 0

    ui.launch(ui.choose_shard("library_identity", SHARD))
    ui.see_run_end()
    run = ui.page.url.rsplit("/", 1)[1].split("?")[0]
    assert asked_again(station, SHARD, run) == {"scanned": needed, "resolved": needed}
    assert stale(station, SHARD) == 0

    ui.open_partition("library_identity", str(SHARD))
    ui.see("Materialized")
    ui.see(run[:8])
    outcome = ui.page.get_by_role("row").filter(has_text="identity written").last
    assert outcome.inner_text().split()[0] == str(needed)
    ui.picture("ui-shard.png")
