"""``wxyc why usage``: one object and an explanation; it only reads."""

import click
import pytest

from tests.wxyc_assets.assets.rated_usage.harness import RatedUsageRuns, event
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.why import command
from wxyc_assets.database.revision import MigrationError


@pytest.fixture
def why(station, monkeypatch):
    """Calls the command with the station in the environment."""
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    return lambda *arguments: command.main(["usage", *arguments], standalone_mode=False)


@pytest.mark.parametrize("hour", ["2026-06-08T10:00:00Z", "2026-06-08-10:00", "2026-06-08T15:30:00+05:30"])
def test_usage_prints_the_bill_and_explains_it(why, station, tmp_path, hour):
    billing = RatedUsageRuns(station, folder=tmp_path)
    billing.add(event("b", (100, 30, 50)))
    billing.run()
    outcome = why("--auth", "a", "--hour", hour)
    assert outcome.exit_code == 0
    assert (outcome.printed["auth_id"], outcome.printed["total_cost"]) == ("a", "0.001365000")
    assert outcome.lines[0].startswith("a is billed 0.001365000 USD")


@pytest.mark.parametrize("hour", ["10", "2026-06-08T10:30:00Z", "2026-06-08T10:00:00"])
def test_hour_that_cannot_be_read_is_a_usage_error(why, hour):
    with pytest.raises(click.UsageError, match="--hour"):
        why("--auth", "a", "--hour", hour)


def test_unknown_customer_is_refused_with_those_that_are_known(why, station, tmp_path):
    billing = RatedUsageRuns(station, folder=tmp_path)
    billing.add(event("b", (100, 30, 50)))
    billing.run()
    with pytest.raises(CannotError, match="no event and no bill names the customer zz; customers are a"):
        why("--auth", "zz", "--hour", "2026-06-08-10:00")


def test_customer_who_used_nothing_in_the_hour_is_no_error(why, station, tmp_path):
    billing = RatedUsageRuns(station, folder=tmp_path)
    billing.add(event("b", (100, 30, 50)))
    (line,) = why("--auth", "a", "--hour", "2026-06-08-03:00").lines
    assert line.startswith("a used nothing in")


def test_hour_that_has_not_begun_is_refused(why):
    with pytest.raises(CannotError, match="has not begun yet"):
        why("--auth", "a", "--hour", "2126-06-08-10:00")


def test_station_without_our_schema_raises_migration_error(why, station):
    with station.connect() as connection:
        connection.execute("DELETE FROM wxyc_assets.alembic_version")
    with pytest.raises(MigrationError):
        why("--auth", "a", "--hour", "2026-06-08-10:00")


def test_unreachable_database_is_named(why, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://x@127.0.0.1:1/nothing")
    with pytest.raises(CannotError, match="cannot be reached"):
        why("--auth", "a", "--hour", "2026-06-08-10:00")
