"""A changed price file: what moves is said and has its cause, what is held stays, and old books can be used again."""

from datetime import timedelta

import pytest

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, PRICES, TEN, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.pricing import NoPriceBookError, load_stored
from wxyc_assets.runs.partitions import hour_key

DEARER = Prices({"b": ("0.00001", "0.0000005", "0.00002")})
"""The prompt of model b costs twice as much: 0.001 USD an event instead of 0.0005."""


def costs(billing):
    return [
        row["cost"]
        for row in billing.query("SELECT cost::text AS cost FROM rated_usage ORDER BY window_start, model_id")
    ]


def causes(billing):
    return [row["cause"] for row in billing.query("SELECT cause FROM wxyc_assets.usage_change ORDER BY change_id")]


def price_changed(report):
    (found,) = (each for each in report.findings if each.name == "price_changed")
    return found


def test_routine_run_says_what_another_price_file_moved(billing):
    billing.add(event(), event("b", event_ts=TEN + HOUR))
    assert price_changed(billing.run(hours=2, origin="routine")).passed
    billing.prices = DEARER
    report = billing.run(hours=2, origin="routine")
    found = price_changed(report)
    assert (found.passed, found.severity, report.verdict) == (False, "WARN", "done")
    assert found.numbers["rows_repriced"] == 2
    assert "moved 2 rows of 2 hours: b +0.001000000 USD" in found.description
    assert found.partitions == [hour_key(TEN), hour_key(TEN + HOUR)]
    assert costs(billing) == ["0.001000000"] * 2
    assert causes(billing) == ["events", "events", "prices", "prices"]
    assert price_changed(billing.run(hours=2, origin="routine")).passed


def test_explicit_run_moves_bills_by_request(billing):
    billing.add(event())
    billing.run()
    billing.prices = DEARER
    found = price_changed(billing.run())
    assert found.passed
    assert found.numbers["cost_repriced"] == "0.000500000"


@pytest.mark.parametrize(
    ("before", "after", "late", "expected"),
    [
        (PRICES, PRICES, True, ["events", "events"]),
        (PRICES, DEARER, True, ["events", "both"]),
        (PRICES, Prices({"other": ("1", "1", "1")}), False, ["events", "prices"]),
        (Prices({"other": ("1", "1", "1")}), PRICES, False, ["prices"]),
        (Prices({"other": ("1", "1", "1")}), PRICES, True, ["events"]),
    ],
    ids=["more events", "events and prices", "no price any more", "a price at last", "a price, and later events"],
)
def test_each_change_has_its_cause(billing, before, after, late, expected):
    billing.add(event())
    billing.prices = before
    billing.rate()
    billing.prices = after
    if late:
        billing.add(event(created_at=TEN + 30 * HOUR))
    billing.rate()
    assert causes(billing) == expected


def test_deleted_events_are_the_cause_of_a_deleted_row(billing):
    billing.add(event(request_id="gone"))
    billing.rate()
    billing.execute("DELETE FROM billing_event")
    billing.prices = DEARER
    billing.rate()
    assert causes(billing) == ["events", "events"]


def test_held_hours_keep_their_prices(billing):
    billing.add(event(), event(event_ts=TEN + HOUR))
    billing.run(hours=1, origin="routine", hold_prices=True)
    first = billing.book.digest
    billing.prices = DEARER
    report = billing.run(hours=2, origin="routine", hold_prices=True)
    assert costs(billing) == ["0.000500000", "0.001000000"]
    assert [report.done[hour].price_digest for hour in sorted(report.done)] == [first, billing.book.digest]
    found = price_changed(report)
    assert not found.passed
    assert (
        "1 hours keep the prices they were billed with; the price file in force would move 1 rows" in found.description
    )
    assert found.numbers["cost_held_back"] == "0.000500000"
    billing.add(event(created_at=TEN + 2 * HOUR))
    billing.run(hours=2, origin="routine", hold_prices=True)
    assert costs(billing) == ["0.001000000", "0.001000000"]  # two events at the old price beside one at the new
    billing.run(hours=2, hold_prices=True)
    assert costs(billing) == ["0.002000000", "0.001000000"]


def test_old_hour_is_rated_with_its_own_book_again(billing):
    billing.add(event())
    billing.run()
    old = billing.book.digest
    billing.prices = DEARER
    billing.run()
    with billing.postgres.connect() as connection:
        book = load_stored(connection, old[:12])
        assert (book.digest, store.price_digests(connection)) == (old, [billing.book.digest, old])
        for unknown in ("0" * 12, ""):
            with pytest.raises(NoPriceBookError, match="wxyc prices list"):
                load_stored(connection, unknown)


def test_hours_before_effective_from_keep_the_book_before_it(billing):
    billing.add(event(), event(event_ts=TEN + HOUR), event(event_ts=TEN + 2 * HOUR))
    billing.run(hours=1)
    start = (TEN + 2 * HOUR).isoformat()
    text = DEARER.yaml() + f'effective_from: "{start}"\n'
    billing.prices = type("Dated", (), {"yaml": lambda _self: text})()
    report = billing.run(hours=3)
    assert costs(billing) == ["0.000500000", "0.000500000", "0.001000000"]
    assert price_changed(report).passed
    assert price_changed(report).numbers["hours_held"] == 0


def test_hour_of_effective_from_is_billed_with_the_new_book(billing):
    """Also if it was billed with the book before it."""
    billing.add(event(), event(event_ts=TEN + HOUR))
    billing.run(hours=2)
    text = DEARER.yaml() + f'effective_from: "{(TEN + HOUR).isoformat()}"\n'
    billing.prices = type("Dated", (), {"yaml": lambda _self: text})()
    billing.run(hours=2)
    assert costs(billing) == ["0.000500000", "0.001000000"]


def test_hour_without_any_book_fails_by_itself(billing):
    billing.add(event(), event(event_ts=TEN + HOUR))
    text = DEARER.yaml() + f'effective_from: "{(TEN + HOUR).isoformat()}"\n'
    billing.prices = type("Dated", (), {"yaml": lambda _self: text})()
    report = billing.run(hours=2)
    assert report.verdict == "failed"
    assert "before effective_from" in report.failed[hour_key(TEN)]
    assert costs(billing) == ["0.001000000"]


def test_plan_of_a_price_change_keeps_no_book_and_no_cause(billing):
    billing.add(event(event_ts=TEN + timedelta(minutes=1)))
    billing.run(dry_run=True)
    assert billing.query("SELECT * FROM wxyc_assets.price_book") == []
    assert causes(billing) == []


def test_held_hour_that_cannot_be_compared_is_not_rated(billing):
    """The prices in force overflow: the hour is one transaction, so that it is not committed and then called failed."""
    billing.add(event("b", (2**31 - 1, 0, 0)))
    billing.run(origin="routine", hold_prices=True)
    before = billing.stored_exactly()
    billing.add(event("b", (2**31 - 1, 0, 0), created_at=TEN + HOUR))
    billing.prices = Prices({"b": ("9999999999.9", "0", "0")})
    report = billing.run(origin="routine", hold_prices=True)
    assert report.verdict == "failed"
    assert "NumericValueOutOfRange" in report.failed[hour_key(TEN)]
    assert billing.stored_exactly() == before
    assert len(causes(billing)) == 1


def test_held_window_is_named_in_the_command_that_rates_it(billing):
    billing.add(event(), event(event_ts=TEN + HOUR))
    billing.run(hours=2, origin="routine", hold_prices=True)
    billing.prices = DEARER
    found = price_changed(billing.run(hours=2, origin="routine", hold_prices=True))
    assert "--since 2026-06-08T10:00:00Z --until 2026-06-08T12:00:00Z" in found.description
    assert found.by_partition == {hour_key(TEN): 1, hour_key(TEN + HOUR): 1}
