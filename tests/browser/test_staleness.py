"""An operator switches the staleness sensor on, and the sensor requests a run for a stale shard."""

import re

from playwright.sync_api import expect

from tests.browser.identities import MAKE_SHARD_STALE, counts_of, stale_count
from tests.browser.ui import RUN_TIMEOUT_S

SHARD = 7


def test_the_staleness_sensor_refreshes_a_stale_shard(ui, station):
    ui.page.goto("/automation")
    ui.page.get_by_role("link", name=re.compile("stale_identities")).click()
    ui.see("Sensor has never run")
    station.execute(MAKE_SHARD_STALE, SHARD)
    assert stale_count(station, SHARD) > 0

    switch = ui.page.get_by_role("row").filter(has_text="Running").get_by_role("checkbox")
    switch.press("Space")
    expect(switch).to_be_checked()
    try:
        ui.see(re.compile("1 run requested"), timeout_s=RUN_TIMEOUT_S)
        run = ui.page.get_by_role("link", name=re.compile("[0-9a-f]{8}$")).first
        done = ui.page.get_by_role("row").filter(has=run).get_by_role("img", name="run_success")
        expect(done).to_be_visible(timeout=1000 * RUN_TIMEOUT_S)
        ui.page.reload()  # the head of the page does not refresh itself
        expect(done).to_be_visible()
        ui.picture("ui-sensor.png")
        address = run.get_attribute("href") or ""
        ui.page.goto(address)
        ui.see_run_end()
        run_id = address.rsplit("/", 1)[1]
        assert counts_of(station, SHARD, run_id)["scanned"] > 0
        assert stale_count(station, SHARD) == 0
        ui.open_partition("library_identity", str(SHARD))
        ui.see(run_id[:8])
    finally:
        ui.page.goto("/locations/wxyc_assets/sensors/stale_identities")
        expect(switch).to_be_checked()
        switch.press("Space")
        expect(switch).not_to_be_checked()
