"""Money as docs/money.md has it: its example is rated, told and computed once more, and comes to what the page says."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.documents import MONEY, code
from tests.wxyc_assets.rated_usage.billing import TEN, Billing, event
from wxyc_assets.price_book.decimals import parse_decimal, quantise
from wxyc_assets.price_book.load import load_price_book
from wxyc_assets.rated_usage import store
from wxyc_assets.rated_usage.story import tell

EVENTS = MONEY.table("resource_id", "model", "base_model", "prompt", "cached", "completion", "outcome")


@pytest.fixture
def prices(tmp_path) -> Path:
    """The price file that is shown."""
    (shown,) = MONEY.fenced("yaml")
    path = tmp_path / "prices.yaml"
    path.write_text(shown)
    return path


@pytest.fixture
def example(station, prices, tmp_path):
    """The example's events, rated with the example's prices; with what came of each, as the table has it."""
    billing, outcomes = Billing(station, folder=tmp_path), []
    for resource, model, base, prompt, cached, completion, outcome in EVENTS:
        tokens = (int(prompt), int(cached), int(completion))
        who = {"auth_id": "key-archive", "resource_id": None if resource == "null" else resource}
        billing.add(event(model, tokens, base_model=None if base == "null" else base, **who))
        outcomes.append(outcome)
    connection = store.open_session(station)
    try:
        rated = store.rate_hour(connection, TEN, store.Cause("run", "explicit", load_price_book(prices)), keep=True)
    finally:
        connection.close()
    return billing, rated, outcomes


def test_the_example_is_billed_as_it_is_told(example):
    billing, rated, outcomes = example
    with billing.postgres.connect() as connection:
        told = tell(connection, "key-archive", TEN).told()
    shown = [line[4:] for line in MONEY.indented if "cost = " not in line]
    assert len(shown) == 3
    assert [line for line in shown if line not in told] == []
    found = (rated.counters.events_rated, rated.counters.unpriced_events)
    assert found == (outcomes.count("rated"), outcomes.count("unpriced"))
    found = (rated.counters.unattributable_events, rated.counters.ambiguous_base_events)
    assert found == (outcomes.count("unattributable"), outcomes.count("ambiguous"))
    assert rated.counters.events == len(outcomes)


def test_the_examples_rates_are_rounded_before_they_are_multiplied_and_it_shows(prices):
    """The arithmetic of the page, once more and apart from the code that bills."""
    (base,) = (price for price in load_price_book(prices).priced if price.model == "bge-m3")
    one, factor, product, rounded = re.search(
        r"rate is ([\d.]+) x ([\d.]+) = ([\d.]+), rounded to ([\d.]+)\.", MONEY.on_one_line
    ).groups()
    assert Decimal(one) == base.rates.cached
    assert Decimal(one) * Decimal(factor) == Decimal(product)
    assert quantise(parse_decimal(product)) == Decimal(rounded)
    rows = [row for row in EVENTS if row[-1] == "rated"]
    billable = sum(max(int(row[3]) - int(row[4]), 0) for row in rows)
    cached = sum(int(row[4]) for row in rows)
    prompt_rate = base.rates.prompt * Decimal(factor)
    (billed,) = re.findall(r"key-archive is billed ([\d.]+) USD", MONEY.on_one_line)
    (multiplied_first,) = re.findall(r"it would have been ([\d.]+):", MONEY.on_one_line)
    assert billable * prompt_rate + cached * Decimal(rounded) == Decimal(billed)
    assert quantise(billable * prompt_rate + cached * Decimal(product)) == Decimal(multiplied_first) != Decimal(billed)


def test_a_plan_reports_what_the_page_says(example):
    billing, *_ = example
    (names,) = re.findall(r"It reports for each hour and in total\s+(.+?)\. ", MONEY.on_one_line)
    plan = billing.run(TEN, dry_run=True).plan
    assert set(code(names)) <= set(plan["total"])
    assert list(plan["hours"]) == ["2026-06-08-10:00"]
    assert billing.changes()[0]["price_digest"]


def test_what_the_query_of_the_page_shows_is_the_change_that_billed_the_example(example):
    billing, *_ = example
    (query,) = MONEY.fenced("sql")
    (change,) = billing.query(query)
    assert (change["kind"], change["cost_before"], change["cost_after"]) == ("insert", None, Decimal("0.000001300"))


def test_a_routine_run_that_deletes_is_an_anomaly_and_an_explicit_one_is_not(station, tmp_path):
    """The table of routine and explicit, done."""
    billing = Billing(station, folder=tmp_path, now=TEN + timedelta(hours=1))
    for origin, verdict, level in (("routine", "anomaly", "error"), ("explicit", "done", "info")):
        billing.add(event())
        billing.run(TEN)
        billing.execute("DELETE FROM billing_event")
        assert billing.run(TEN, origin=origin).verdict == verdict
        assert billing.steps("reconcile")[-1]["level"] == level
