"""A new user looks at the station after the demo: what is done is all that could be done, and each lane has a name."""

import re
from datetime import UTC, datetime

from wxyc_assets.assets.registry import ASSETS


def test_a_fresh_demo_has_no_missing_partition(ui):
    """Hours begin with the first event, days with today."""
    for asset, least in (("rated_usage", 24), ("rotation_cache", 1), ("library_identity", 16)):
        ui.open_asset(asset, "partitions")
        if asset != "library_identity":  # its page always shows all shards
            ui.page.get_by_role("button", name="All", exact=True).click()
        materialized = ui.see(re.compile(r"^Materialized \(\d+\)$")).inner_text()
        missing = ui.see(re.compile(r"^Missing \(\d+\)$")).inner_text()
        assert int(re.findall(r"\d+", materialized)[0]) >= least
        # An hour may have closed since the demo rated the last one.
        assert int(re.findall(r"\d+", missing)[0]) <= (1 if asset == "rated_usage" else 0)


def test_the_timeline_has_a_lane_with_a_name_for_each_job(ui):
    """The demo ran from the command line."""
    ui.page.goto("/timeline")
    for job in ("observe_station", *(info.job for info in ASSETS)):
        ui.see(job)


def test_todays_cache_can_be_materialized(ui):
    ui.launch(ui.choose_shard("rotation_cache", datetime.now(UTC).date().isoformat()))
    ui.see_run_end()
