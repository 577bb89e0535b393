"""Billing on a station of the test's own."""

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.rated_usage.billing import Billing


@pytest.fixture
def billing(station: Postgres, tmp_path) -> Billing:
    return Billing(station, folder=tmp_path)
