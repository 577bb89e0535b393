"""An operator materializes one shard from its page, and the page shows its numbers."""

from tests.browser.identities import MAKE_SHARD_STALE, counts_of, stale_count

SHARD = 3


def test_materializing_one_shard_shows_its_numbers(ui, station):
    station.execute(MAKE_SHARD_STALE, SHARD)
    needed = stale_count(station, SHARD)
    assert needed > 0

    ui.launch(ui.choose_shard("library_identity", SHARD))
    ui.see_run_end()
    run = ui.page.url.rsplit("/", 1)[1].split("?")[0]
    assert counts_of(station, SHARD, run) == {"scanned": needed, "resolved": needed}
    assert stale_count(station, SHARD) == 0

    ui.open_partition("library_identity", str(SHARD))
    ui.see("Materialized")
    ui.see(run[:8])
    outcome = ui.page.get_by_role("row").filter(has_text="identity written").last
    assert outcome.inner_text().split()[0] == str(needed)
    ui.picture("ui-shard.png")
