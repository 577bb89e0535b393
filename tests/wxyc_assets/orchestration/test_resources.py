"""Dagster's resources are made from the settings when a run starts, and closed when it ends."""

import dagster as dg
import pytest

from wxyc_assets.orchestration.resources import default_resources

LML = {"LIBRARY_METADATA_URL": "https://lml.example.org/api/v1/", "LML_API_KEY": "hunter2"}


@pytest.fixture
def environment(monkeypatch, station):
    for name in ("LIBRARY_METADATA_URL", "LML_API_KEY", "SENTRY_DSN", "LOCAL_DEV", "WXYC_SCHEMA_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    return monkeypatch


def test_resources_are_made_from_the_settings_at_run_start(environment, station):
    for name, value in (LML | {"STALE_THRESHOLD_DAYS": "3"}).items():
        environment.setenv(name, value)
    with dg.build_resources(default_resources()) as resources:
        assert resources.postgres == station
        assert resources.identity_settings.stale_after.days == 3
        assert "hunter2" in resources.console.secrets
        assert "hunter2" not in repr(resources)


def test_a_run_without_an_lml_fails_with_the_reason(environment):
    with (
        pytest.raises(dg.DagsterError, match="resource_fn on ResourceDefinition lml") as caught,
        dg.build_resources(default_resources()),
    ):
        pass
    assert "LIBRARY_METADATA_URL: is not set" in str(caught.value.__cause__)


def test_every_resource_is_described():
    """Dagster's UI shows the descriptions."""
    assert [name for name, resource in default_resources().items() if not resource.description] == []
