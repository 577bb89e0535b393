"""An external asset has an owner and a page, and observing it records what the observation found."""

import dagster as dg
import pytest

from wxyc_assets.orchestration.external_asset import external_asset

KEY = dg.AssetKey("shows")


@pytest.fixture
def shows():
    @external_asset(
        "shows", group="station", owner="team:dj", kind="postgres", description="Shows.", metadata={"rows": "1"}
    )
    def observe() -> dg.ObserveResult:
        return dg.ObserveResult(asset_key=KEY, metadata={"rows": 7})

    return observe


def test_page_has_owner_group_kind_and_description(shows):
    (spec,) = shows.specs
    assert (spec.key, spec.group_name, spec.owners, spec.description) == (KEY, "station", ["team:dj"], "Shows.")
    assert "postgres" in spec.kinds
    assert spec.metadata["rows"] == "1"


def test_asset_is_observed_and_never_materialized(shows):
    assert shows.is_executable
    assert not shows.is_materializable
    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(assets=[shows]).resolve_implicit_global_asset_job_def()
        assert job.execute_in_process(instance=instance, asset_selection=[KEY]).success
        (record,) = instance.fetch_observations(KEY, limit=10).records
        assert record.asset_observation is not None
        assert record.asset_observation.metadata["rows"].value == 7
