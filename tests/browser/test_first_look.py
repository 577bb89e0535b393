"""A new user explores the UI: each asset shows its description, owner and state."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.ui import GROUPS, RUN_TIMEOUT_S
from wxyc_assets.definitions import defs

GRAPH = defs.resolve_asset_graph()
EXTERNAL = sorted(key.to_user_string() for key in GRAPH.observable_asset_keys)
MATERIALIZABLE = sorted(key.to_user_string() for key in GRAPH.materializable_asset_keys)
TABLES = {name: GRAPH.get(key).metadata["dagster/table_name"] for key in GRAPH.observable_asset_keys
          if (name := key.to_user_string()) != "price_book"}  # fmt: skip


def test_observing_external_assets_shows_their_row_counts(ui, station):
    ui.open_graph()
    ui.menu_of("Materialize all").click()
    ui.see(f"Observe all ({len(EXTERNAL)})").click()
    ui.see_notice("Launched run")
    for asset, table in TABLES.items():
        ui.open_asset(asset)
        ((count,),) = station.rows(f"SELECT count(*) FROM {table}")
        ui.reload_until(ui.shows(f"{count:,}"), f"row count of {asset}")  # an open page may show an older observation
        ui.see("Row count")
    ui.open_asset("library")
    for text in ("External Asset", "station-backend"):
        ui.see(text)
    ui.see("the album; its shard is id % 16")
    ui.picture("ui-table.png")


@pytest.mark.parametrize("asset", MATERIALIZABLE)
def test_an_asset_page_shows_description_owner_and_state(ui, asset):
    node = next(GRAPH.get(key) for key in GRAPH.materializable_asset_keys if key.to_user_string() == asset)
    ui.open_asset(asset)
    assert node.description
    ui.see(re.compile(re.escape(node.description.split("`")[0].strip())))
    for heading in ("Description", "Columns", "Owners", "Kinds", "Storage", "Latest check results"):
        ui.see(heading)
    for text in (node.group_name, node.owners[0].removeprefix("team:"), node.metadata["dagster/table_name"], "Python"):
        ui.see(text)


def test_the_graph_shows_every_group_and_every_asset(ui):
    ui.page.set_viewport_size({"width": 1800, "height": 1400})
    ui.open_graph()
    for text in (*GROUPS, *EXTERNAL, *MATERIALIZABLE):
        ui.see(text)
    ui.zoom_out_to_names()
    expect(ui.page.get_by_text("Loading")).to_have_count(0)
    ui.picture("ui-graph.png", of=ui.nodes())


def test_automation_lists_all_schedules_and_sensors(ui):
    """Each has a description, and the sensors that are on tick without failure."""
    ui.page.goto("/automation")
    for one in (*(defs.schedules or ()), *(defs.sensors or ())):
        ui.see(one.name)
        assert one.description
    for name in ("alerts", "dead_runs"):
        ui.page.goto(f"/locations/wxyc_assets/sensors/{name}")
        ui.see(re.compile("Latest tick"))
        ui.see("0 runs requested", timeout_s=RUN_TIMEOUT_S)
        expect(ui.page.get_by_text("Failure", exact=True)).to_have_count(0)
