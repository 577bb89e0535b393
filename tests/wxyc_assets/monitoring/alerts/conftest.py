"""Runs of a scripted asset on an instance of Dagster, and the outbox that ingests them."""

import pytest

from tests.wxyc_assets.monitoring.alerts.scripted_asset import ScriptedRuns


@pytest.fixture
def runs(instance, station):
    return ScriptedRuns(instance, station)
