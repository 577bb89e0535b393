"""The price file in Dagster: its digest is the data version, and a bad file fails the observation with its problems."""

import hashlib

import dagster as dg
import pytest

from tests.wxyc_assets.assets.price_book.example_files import VALID, changed
from wxyc_assets.assets.price_book.asset import price_book
from wxyc_assets.orchestration.resources import default_resources
from wxyc_assets.settings import RatingSettings, load

KEY = dg.AssetKey("price_book")


@pytest.fixture
def observe(tmp_path, station):
    """A function that observes a file in a run of Dagster and returns the observation, or the failure of the step."""
    path = tmp_path / "prices.yaml"

    def observed(text):
        if text is not None:
            path.write_text(text)
        rating_settings = load(RatingSettings, {} if text is None else {"PRICE_FILE": str(path)})
        job = dg.Definitions([price_book], resources={"rating_settings": rating_settings, "billing_postgres": station})
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=instance, asset_selection=[KEY], raise_on_error=False
            )
            if not result.success:
                (failed,) = [event for event in result.all_events if event.is_step_failure]
                return failed.step_failure_data.user_failure_data
            return instance.fetch_observations(KEY, 1).records[0].asset_observation

    return observed


def test_an_observation_records_which_prices_are_in_force(observe, tmp_path):
    observation = observe(VALID)
    assert observation.tags["dagster/data_version"] == hashlib.sha256(VALID.encode()).hexdigest()
    metadata = {name: value.value for name, value in observation.metadata.items()}
    assert metadata == {
        "version": 1,
        "models": 6,
        "bases_of_fine_tunes": 3,
        "path": str(tmp_path / "prices.yaml"),
    }


def test_the_data_version_changes_exactly_if_the_bytes_change(observe):
    versions = [observe(text).tags["dagster/data_version"] for text in (VALID, VALID + "\n", VALID)]
    assert versions[0] == versions[2] != versions[1]


def test_a_bad_file_fails_the_observation_with_every_problem(observe):
    failure = observe(changed("version: 1", "version: 2", changed("0.00001\n", "1e-5\n")))
    assert "line 1: version '2' is not known" in failure.description
    assert "line 6: base model 'base': completion '1e-5' is not a plain decimal" in failure.description
    assert failure.metadata["problems"].value == 2


def test_a_missing_file_fails_the_observation(observe):
    assert "PRICE_FILE is not set" in observe(None).description


def test_the_asset_is_external_and_only_observed():
    node = dg.Definitions([price_book], resources=default_resources()).resolve_asset_graph().get(KEY)
    assert (node.group_name, node.is_external, node.is_observable) == ("billing", True, True)
    assert node.owners == ["team:finance"]
    assert (node.description or "").startswith("What a token costs")


def test_a_station_without_billing_needs_no_prices(observe, station):
    with station.connect() as connection:
        connection.execute("DROP TABLE rated_usage, billing_event")
    observation = observe(None)
    assert observation.metadata["billing"].value == "this station has no billing tables"
