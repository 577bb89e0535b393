"""A Dagster instance on PostgreSQL with runs of a scripted asset, and a station that reads them."""

import pytest

from tests.wxyc_assets.monitoring.alerts.scripted_asset import ScriptedRuns
from tests.wxyc_assets.retention.storages import Storages


@pytest.fixture
def storages(instance, station):
    instance.schedule_storage.wipe()  # the instance of the session wipes its runs and events only
    return Storages(ScriptedRuns(instance, station))
