"""A person switches the staleness sensor on, a shard becomes stale, and the shard is made fresh by itself."""

import re

from playwright.sync_api import expect

from tests.browser.identities import SHARD_IS_STALE, asked_again, stale

SHARD = 7


def test_a_stale_shard_is_asked_about_once_the_sensor_is_switched_on(ui, station):
    ui.page.goto("/automation")
    ui.page.get_by_role("link", name=re.compile("stale_identities")).click()
    ui.see("Sensor has never run")
    station.execute(SHARD_IS_STALE, SHARD)
    assert stale(station, SHARD) > 0

    switch = ui.page.get_by_role("row").filter(has_text="Running").get_by_role("checkbox")
    switch.press("Space")
    expect(switch).to_be_checked()
    try:
        ui.see(re.compile("1 run requested"), patience_s=90)
        run = ui.page.get_by_role("link", name=re.compile("[0-9a-f]{8}$")).first
        done = ui.page.get_by_role("row").filter(has=run).get_by_role("img", name="run_success")
        expect(done).to_be_visible(timeout=90_000)
        ui.page.reload()  # the head of the page has not noticed yet
        expect(done).to_be_visible()
        ui.picture("ui-sensor.png")
        address = run.get_attribute("href") or ""
        ui.page.goto(address)
        ui.see_run_end()
        run_id = address.rsplit("/", 1)[1]
        assert asked_again(station, SHARD, run_id)["scanned"] > 0
        assert stale(station, SHARD) == 0
        ui.open_partition("library_identity", str(SHARD))
        ui.see(run_id[:8])
    finally:
        ui.page.goto("/locations/wxyc_assets/sensors/stale_identities")
        expect(switch).to_be_checked()
        switch.press("Space")
        expect(switch).not_to_be_checked()
