"""A station for each test, with runs of rated_usage."""

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.assets.rated_usage.harness import RatedUsageRuns


@pytest.fixture
def billing(station: Postgres, tmp_path) -> RatedUsageRuns:
    """A station without usage events."""
    return RatedUsageRuns(station, folder=tmp_path)
