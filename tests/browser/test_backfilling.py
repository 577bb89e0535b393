"""A person backfills a window of hours, and sees it credited hour by hour, with numbers to plot."""

from datetime import timedelta

from tests.browser.usage import HOUR, billed, copy_events, key, sample_day

HOURS = 6
OF_THE_DAY = 9 * HOUR


def test_a_window_of_hours_is_backfilled_and_credited_hour_by_hour_with_numbers_plotted(ui, station):
    pattern = sample_day(station) + OF_THE_DAY
    first = pattern - timedelta(days=2)
    window = [first + place * HOUR for place in range(HOURS)]
    copy_events(station, pattern, HOURS, to=first)
    assert {billed(station, hour) for hour in window} == {(0, "0.000000000")}

    dialog = ui.choose_hours("rated_usage", f"[{key(window[0])}...{key(window[-1])}]", HOURS)
    dialog.get_by_role("button", name="Launch backfill").click()
    ui.see_notice("Created backfill")

    ui.open_partition("rated_usage", key(window[2]))
    ui.reload_until(ui.reads("Materialized"), "the credit of an hour in the middle")
    ui.choose_range(f"[{key(window[0])}...{key(window[-1])}]")
    ui.see(f"{HOURS} Partitions Selected")
    ui.see(f"Materialized ({HOURS})")
    ui.picture("ui-hours.png")

    for hour in window:
        rows, cost = billed(station, hour)
        assert rows > 0
        assert (rows, cost) == billed(station, pattern + (hour - first)), "the same usage costs the same"
        ui.open_partition("rated_usage", key(hour))
        assert ui.metadata("rollups") == str(rows)
        assert ui.metadata("total_cost") == cost

    ui.open_asset("rated_usage")
    ui.page.get_by_role("button", name="Plots").click()
    ui.bring_to_the_top(ui.see("cost_usd"))
    ui.picture("ui-plots.png")
