"""An operator backfills a range of hours; the UI shows each hour with its numbers and plots them."""

from decimal import Decimal

from tests.browser.usage import HOUR, billed, copy_events, key, sample_day

HOURS = 6
TIME_OF_DAY = 9 * HOUR


def test_a_backfill_materializes_each_hour_with_plotted_numbers(ui, station):
    first = sample_day(station) + TIME_OF_DAY
    window = [first + place * HOUR for place in range(HOURS)]
    before = [billed(station, hour) for hour in window]
    copy_events(station, first, HOURS, to=first)

    dialog = ui.choose_hours("rated_usage", f"[{key(window[0])}...{key(window[-1])}]", HOURS)
    dialog.get_by_role("button", name="Launch backfill").click()
    ui.see_notice("Created backfill")

    ui.open_partition("rated_usage", key(window[2]))
    ui.reload_until(
        lambda: all(billed(station, hour) != old for hour, old in zip(window, before, strict=True)), "rating"
    )
    ui.see("Materialized")
    ui.choose_range(f"[{key(window[0])}...{key(window[-1])}]")
    ui.see(f"{HOURS} Partitions Selected")
    ui.see(f"Materialized ({HOURS})")
    ui.picture("ui-hours.png")

    for hour, (rows_before, cost_before) in zip(window, before, strict=True):
        rows, cost = billed(station, hour)
        assert rows == rows_before > 0
        assert Decimal(cost) == 2 * Decimal(cost_before), "twice the usage costs twice as much"
        ui.open_partition("rated_usage", key(hour))
        assert ui.metadata("rollups") == str(rows)
        assert ui.metadata("total_cost") == cost

    ui.open_asset("rated_usage")
    ui.page.get_by_role("button", name="Plots").click()
    ui.scroll_to_top(ui.see("cost_usd"))
    ui.picture("ui-plots.png")
