"""The forecast of the station's budget."""

import pytest

from wxyc_assets.budget_forecast import forecast
from wxyc_assets.pace import Pace


def test_the_forecast_stands_behind_what_is_reserved_and_reserves_nothing(station):
    with station.connect() as connection:

        def budget():
            return connection.execute("SELECT b::text FROM wxyc_assets.budget b").fetchall()

        connection.execute("UPDATE wxyc_assets.budget SET tat = now() + interval '40 s'")
        before = budget()
        expected = forecast(connection, 45, Pace(30, 1))
        assert expected.backlog_s == pytest.approx(40, abs=1)
        assert expected.ours_s == 90
        assert budget() == before
        connection.execute("UPDATE wxyc_assets.budget SET tat = now() - interval '1 h'")
        assert forecast(connection, 0, Pace(30, 1)).backlog_s == 0
        connection.execute("UPDATE wxyc_assets.budget SET blocked_until = now() + interval '10 s'")
        assert forecast(connection, 0, Pace(30, 1)).backlog_s == pytest.approx(10, abs=1)
