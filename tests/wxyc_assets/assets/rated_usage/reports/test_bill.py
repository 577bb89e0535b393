"""A customer's bill of a month: exact sums over random usage against an oracle in plain Python, and unrated hours."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.wxyc_assets.assets.rated_usage import oracle
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from tests.wxyc_assets.assets.rated_usage.histories import random_events, random_prices
from wxyc_assets.assets.rated_usage.reports.bill import Bill, Month, bill_rows, coverage
from wxyc_assets.runs.partitions import WindowError, hour_key

JUNE = Month.parse("2026-06")
LAST = datetime(2026, 6, 30, 22, tzinfo=UTC)
AFTER = datetime(2026, 7, 2, tzinfo=UTC)


def bill_of(billing, auth_id="a", month=JUNE, now=AFTER, first_hour=TEN):
    with billing.postgres.connect() as connection, connection.transaction():
        covered = coverage(connection, month, now, first_hour)
        return Bill(auth_id, month, list(bill_rows(connection, auth_id, month)), covered)


@pytest.mark.parametrize("seed", range(4))
def test_bill_is_the_sum_of_the_reference_formula(billing, seed):
    """The events are of the last two hours of June and of the first two of July."""
    rng = random.Random(seed)
    billing.prices = random_prices(rng)
    billing.add(*random_events(rng, 60, 4, LAST))
    for place in range(4):
        billing.rate(LAST + place * HOUR)
    prices = oracle.Prices({name.replace("''", "'"): rates for name, rates in billing.prices.base_models.items()})
    events = billing.query("SELECT * FROM billing_event")
    for auth_id in ("a", "a-2", "", "ü, x"):
        for month in (JUNE, Month.parse("2026-07")):
            expected = {
                key: row
                for key, row in oracle.rate(events, prices, month.start, month.end).rows.items()
                if key[0] == auth_id
            }
            bill = bill_of(billing, auth_id, month)
            printed = bill.as_json()
            assert Decimal(printed["total"]["cost"]) == sum(row["cost"] for row in expected.values())
            assert printed["total"]["events"] == sum(row["event_count"] for row in expected.values())
            grouped: dict[tuple[str, str, str], Decimal] = {}
            for (_, resource, model, hour), row in expected.items():
                spot = (f"{hour:%Y-%m-%d}", model, resource)
                grouped[spot] = grouped.get(spot, Decimal(0)) + row["cost"]
            found = {(row["day"], row["model_id"], row["resource_id"]): Decimal(row["cost"]) for row in bill.rows}
            assert found == grouped
            for name in ("by_day", "by_model", "by_deployment"):
                assert sum(Decimal(row["cost"]) for row in printed[name]) == Decimal(printed["total"]["cost"])


def test_hours_that_no_run_rated_are_named(billing):
    billing.rate(TEN)
    billing.rate(TEN + 2 * HOUR)
    covered = bill_of(billing, now=TEN + timedelta(hours=5, minutes=10)).coverage
    assert (covered.hours, covered.closed) == (542, 5)
    assert list(covered.unrated) == [hour_key(TEN + place * HOUR) for place in (1, 3, 4)]
    assert list(covered.overdue) == [hour_key(TEN + HOUR)]
    assert (covered.is_complete, covered.is_anomaly) == (False, True)


def test_a_month_with_every_hour_rated_is_complete(billing):
    for place in range(2):
        billing.rate(LAST + place * HOUR)
    covered = bill_of(billing, first_hour=LAST).coverage
    assert (covered.is_complete, covered.hours, covered.unrated) == (True, 2, [])


def test_rows_of_the_predecessor_are_a_rating(billing):
    billing.add(event(event_ts=LAST))
    billing.rate(LAST)
    billing.execute("DELETE FROM wxyc_assets.rated_hour")
    covered = bill_of(billing, first_hour=LAST).coverage
    assert covered.unrated == [hour_key(LAST + HOUR)]


def test_events_that_no_rating_saw_make_the_month_incomplete(billing):
    for place in range(2):
        billing.rate(LAST + place * HOUR)
    billing.execute(
        "INSERT INTO wxyc_assets.unbilled_usage (bucket, events, events_now, newest_event_at, estimated_cost) VALUES "
        "(%s, 2, 2, now(), 0.5), ('before', 9, 9, now(), NULL), ('2026-07-01-00:00', 7, 7, now(), NULL)",
        [hour_key(LAST)],
    )
    covered = bill_of(billing, first_hour=LAST).coverage
    assert [(row["hour"], row["events"], row["estimated_cost"]) for row in covered.unbilled] == [
        (hour_key(LAST), 2, "0.5")
    ]
    assert (covered.is_complete, covered.is_anomaly) == (False, True)


def test_a_month_before_billing_began_has_no_hours(billing):
    covered = bill_of(billing, first_hour=AFTER).coverage
    assert (covered.hours, covered.closed, covered.unrated) == (0, 0, [])


@pytest.mark.parametrize(
    "text", ["2026", "2026-13", "2026-1", "2026-00", "0000-01", "9999-12", "2026-10-01", "october"]
)
def test_what_is_no_month_is_refused(text):
    with pytest.raises(WindowError, match=f"--month {text}: is not a month"):
        Month.parse(text)


def test_december_ends_with_the_year():
    assert Month.parse("2026-12").end == datetime(2027, 1, 1, tzinfo=UTC)
