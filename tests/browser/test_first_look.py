"""A newcomer looks around: everything says what it is, whose it is, and how it stands."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.ui import GROUPS
from wxyc_assets.definitions import defs

GRAPH = defs.resolve_asset_graph()
OTHERS = sorted(key.to_user_string() for key in GRAPH.observable_asset_keys)
OURS = sorted(key.to_user_string() for key in GRAPH.materializable_asset_keys)
TABLES = {name: GRAPH.get(key).metadata["dagster/table_name"] for key in GRAPH.observable_asset_keys
          if (name := key.to_user_string()) != "price_book"}  # fmt: skip


def test_what_others_own_is_observed_by_a_click_and_shows_its_row_count(ui, station):
    ui.open_graph()
    ui.menu_beside("Materialize all").click()
    ui.see(f"Observe all ({len(OTHERS)})").click()
    ui.see_notice("Launched run")
    for asset, table in TABLES.items():
        ui.open_asset(asset)
        ui.reload_until(ui.reads("Row count"), f"the row count of {asset}")
        ((count,),) = station.rows(f"SELECT count(*) FROM {table}")
        ui.see(f"{count:,}")
    ui.open_asset("library")
    for text in ("External Asset", "station-backend"):
        ui.see(text)
    ui.see("the album; its shard is id % 16")
    ui.picture("ui-table.png")


@pytest.mark.parametrize("asset", OURS)
def test_an_asset_of_ours_says_what_a_row_means_whose_it_is_and_how_it_stands(ui, asset):
    node = next(GRAPH.get(key) for key in GRAPH.materializable_asset_keys if key.to_user_string() == asset)
    ui.open_asset(asset)
    ui.see(re.compile(re.escape(node.description.split("`")[0].strip())))
    for heading in ("Description", "Columns", "Owners", "Kinds", "Storage", "Latest check results", "Freshness policy"):
        ui.see(heading)
    for text in (node.group_name, node.owners[0].removeprefix("team:"), node.metadata["dagster/table_name"], "Python"):
        ui.see(text)


def test_the_graph_shows_every_group_and_every_asset_in_it(ui):
    ui.page.set_viewport_size({"width": 2720, "height": 1700})
    ui.open_graph()
    ui.page.get_by_role("button", name="Hide navigation").click()
    for text in (*GROUPS, *OTHERS, *OURS):
        ui.see(text)
    ui.zoom_out_to([*OTHERS, *OURS])
    expect(ui.page.get_by_text("Loading")).to_have_count(0)
    ui.picture("ui-graph.png")


def test_everything_that_runs_by_itself_says_what_it_does_and_what_is_on_works(ui):
    ui.page.goto("/automation")
    for one in (*defs.schedules, *defs.sensors):
        ui.see(one.name)
        assert one.description
    for name in ("alerts", "dead_runs"):
        ui.page.goto(f"/locations/wxyc_assets/sensors/{name}")
        ui.see(re.compile("Latest tick"))
        ui.see("0 runs requested", patience_s=90)
        expect(ui.page.get_by_text("Failure", exact=True)).to_have_count(0)
