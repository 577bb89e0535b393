"""Two price books over the same random usage: what each bills, against the reference formula; nothing of it stays."""

import random
from decimal import Decimal

import pytest

from tests.wxyc_assets.assets.rated_usage import oracle
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from tests.wxyc_assets.assets.rated_usage.histories import random_events, random_prices
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.assets.rated_usage.reports import comparison
from wxyc_assets.assets.rated_usage.reports.comparison import HourBusyError, compare_books
from wxyc_assets.runs.advisory_locks import Locks, unit
from wxyc_assets.runs.partitions import hour_key

HOURS = [hour_key(TEN + place * HOUR) for place in range(3)]


def everything(billing):
    tables = ("rated_usage", "wxyc_assets.usage_change", "wxyc_assets.tally", "wxyc_assets.rated_hour")
    return [billing.query(f"SELECT ctid::text, t::text AS row FROM {table} t ORDER BY 1") for table in tables]


def expected_costs(billing, prices):
    true = Prices({name.replace("''", "'"): rates for name, rates in prices.base_models.items()})
    found: dict[tuple[str, str], Decimal] = {}
    rated = oracle.rate(billing.query("SELECT * FROM billing_event"), true, TEN, TEN + 3 * HOUR)
    for (customer, _, model, _), row in rated.rows.items():
        found[model, customer] = found.get((model, customer), Decimal(0)) + row["cost"]
    return found, rated


@pytest.mark.parametrize("seed", range(4))
def test_each_book_bills_what_the_reference_formula_does(billing, seed):
    rng = random.Random(seed)
    old_prices, new_prices = random_prices(rng), random_prices(rng)
    if seed % 2:
        new_prices = Prices({"b": new_prices.base_models["b"]})
    billing.add(*random_events(rng, 80, 3))
    billing.prices = old_prices
    old = billing.book
    billing.rate(TEN)
    billing.add(*random_events(rng, 10, 3))
    billing.prices = new_prices
    new = billing.book
    billing.rate(TEN + HOUR)
    before = everything(billing)
    found = compare_books(billing.postgres, HOURS, old, new)
    assert everything(billing) == before
    for side, prices in ((found.old, old_prices), (found.new, new_prices)):
        costs, rated = expected_costs(billing, prices)
        assert {key: Decimal(str(cost)) for key, cost in side.costs.items()} == costs
        assert (side.unpriced_events, sum(side.events.values())) == (rated.unpriced_events, rated.events_rated)
    wanted = sum(expected_costs(billing, new_prices)[0].values()) - sum(expected_costs(billing, old_prices)[0].values())
    assert Decimal(str(found.moved)) == wanted
    for rows in (found.rows(), found.by_model(), found.by_customer()):
        assert sum(Decimal(row["moved"]) for row in rows) == wanted
        assert all(Decimal(row["cost_new"]) - Decimal(row["cost_old"]) == Decimal(row["moved"]) for row in rows)


def test_an_hour_that_a_run_rates_is_waited_for_and_then_named(billing, monkeypatch):
    monkeypatch.setattr(comparison, "UNIT_WAIT_S", 0.05)
    billing.add(event())
    with billing.postgres.connect() as connection:
        Locks(connection).take([unit("rated_usage", HOURS[1])])
        with pytest.raises(HourBusyError, match=HOURS[1]):
            compare_books(billing.postgres, HOURS, billing.book, billing.book)
