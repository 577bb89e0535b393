"""The registry says of each asset what its definition says."""

import importlib

import dagster as dg
import pytest

from wxyc_assets.assets.registry import ASSETS, BY_NAME, AssetInfo, demo_order, tool_of
from wxyc_assets.definitions import defs

GRAPH = defs.resolve_asset_graph()
DEFINITIONS: dict[str, type[dg.PartitionsDefinition] | None] = {
    "shards": dg.StaticPartitionsDefinition,
    "hours": dg.HourlyPartitionsDefinition,
    "today": dg.DynamicPartitionsDefinition,
    "none": None,
}


def test_registry_names_every_asset_that_runs_materialize():
    materialized = {key.to_user_string() for key in GRAPH.materializable_asset_keys}
    assert {info.name for info in ASSETS} == materialized - {"price_book"}
    assert list(BY_NAME) == [info.name for info in ASSETS]


def test_assets_are_listed_upstream_first():
    for place, info in enumerate(ASSETS):
        upstream = {key.to_user_string() for key in GRAPH.get(dg.AssetKey(info.name)).parent_keys}
        assert upstream & set(BY_NAME) <= {before.name for before in ASSETS[:place]}


@pytest.mark.parametrize("info", ASSETS, ids=lambda info: info.name)
def test_partition_kind_is_that_of_the_definition(info: AssetInfo):
    partitions = GRAPH.get(dg.AssetKey(info.name)).partitions_def
    wanted = DEFINITIONS[info.partitions]
    assert partitions is None if wanted is None else isinstance(partitions, wanted)


@pytest.mark.parametrize("info", ASSETS, ids=lambda info: info.name)
def test_room_holds_the_asset_of_that_name(info: AssetInfo):
    asset = getattr(importlib.import_module(f"{info.room}.asset"), info.name)
    assert asset.keys == {dg.AssetKey(info.name)}


@pytest.mark.parametrize("info", ASSETS, ids=lambda info: info.name)
def test_tool_is_that_of_the_assets_log_lines(info: AssetInfo):
    module = vars(importlib.import_module(f"{info.room}.asset"))
    assert info.tool == module.get("TOOL", module.get("CALLER"))
    assert tool_of(info.name) == info.tool


def test_a_subject_that_is_no_asset_is_its_own_tool():
    assert tool_of("LML") == "lml"


@pytest.mark.parametrize("info", ASSETS, ids=lambda info: info.name)
def test_a_freshness_policy_is_where_the_newest_run_tells(info: AssetInfo):
    policy = GRAPH.get(dg.AssetKey(info.name)).freshness_policy
    newest_tells = info.partitions in {"today", "none"}
    assert policy == (dg.FreshnessPolicy.time_window(**info.freshness.windows) if newest_tells else None)


@pytest.mark.parametrize("info", ASSETS, ids=lambda info: info.name)
def test_asset_asks_lml_where_it_requires_the_client(info: AssetInfo):
    assert info.asks_lml == ("lml" in GRAPH.get(dg.AssetKey(info.name)).assets_def.required_resource_keys)


def test_demo_runs_the_assets_in_the_order_of_their_places():
    places = [info.demo.order for info in demo_order() if info.demo]
    assert places == list(range(1, len(places) + 1))
