"""The observation of the external assets through Dagster."""

import dagster as dg
import pytest

from wxyc_assets.cli.instance import STORAGE_VARIABLE, open_instance
from wxyc_assets.cli.observe_sources import observe_all
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.sample import SAMPLE_PRICES


@pytest.fixture(autouse=True)
def settings(monkeypatch, tmp_path, station, database):
    for name in ("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", STORAGE_VARIABLE):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("WXYC_HOME", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    monkeypatch.setenv("DAGSTER_DATABASE_URL", database)
    monkeypatch.setenv("PRICE_FILE", str(SAMPLE_PRICES))


def test_every_external_asset_is_observed_once(station):
    with station.connect() as connection:
        generate_libraries(connection, 7)
    assert observe_all(RunConsole()) is True
    names = ["library", "flowsheet", "rotation", "billing_event", "price_book"]
    with open_instance() as instance:
        records = {name: instance.fetch_observations(dg.AssetKey(name), limit=5).records for name in names}
    assert {name: len(found) for name, found in records.items()} == dict.fromkeys(names, 1)
    observation = records["library"][0].asset_observation
    assert observation is not None
    assert observation.metadata["dagster/row_count"].value == 7


def test_source_that_cannot_be_observed_makes_it_false(station):
    with station.connect() as connection:
        connection.execute("DROP TABLE rotation CASCADE")
    assert observe_all(RunConsole()) is False
