"""``wxyc why usage``: one object, a story for a person, and nothing but reading."""

import click
import pytest

from tests.wxyc_assets.rated_usage.billing import Billing, event
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.why import command
from wxyc_assets.revision import MigrationError


@pytest.fixture
def why(station, monkeypatch):
    """Calls the command with the station in the environment."""
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    return lambda *arguments: command.main(["usage", *arguments], standalone_mode=False)


@pytest.mark.parametrize("hour", ["2026-06-08T10:00:00Z", "2026-06-08-10:00", "2026-06-08T15:30:00+05:30"])
def test_it_prints_what_is_billed_and_tells_why(why, station, tmp_path, hour):
    billing = Billing(station, folder=tmp_path)
    billing.add(event("b", (100, 30, 50)))
    billing.run()
    outcome = why("--auth", "a", "--hour", hour)
    assert outcome.exit_code == 0
    assert (outcome.printed["auth_id"], outcome.printed["total_cost"]) == ("a", "0.001365000")
    assert outcome.closing[0].startswith("a is billed 0.001365000 USD")


@pytest.mark.parametrize("hour", ["10", "2026-06-08T10:30:00Z", "2026-06-08T10:00:00"])
def test_what_is_no_hour_is_a_usage_error_that_says_so(why, hour):
    with pytest.raises(click.UsageError, match="--hour"):
        why("--auth", "a", "--hour", hour)


def test_a_station_without_our_schema_is_told_to_migrate(why, station):
    with station.connect() as connection:
        connection.execute("DELETE FROM wxyc_assets.alembic_version")
    with pytest.raises(MigrationError):
        why("--auth", "a", "--hour", "2026-06-08-10:00")


def test_a_database_that_is_not_there_is_named(why, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(CannotError, match="cannot be reached"):
        why("--auth", "a", "--hour", "2026-06-08-10:00")
