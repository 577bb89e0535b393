"""docs/money.md has the right numbers: its example is rated, explained, and computed a second time."""

import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.documents import MONEY, code
from tests.wxyc_assets.assets.rated_usage.harness import TEN, RatedUsageRuns, event
from wxyc_assets.assets.price_book.decimals import parse_decimal, quantise
from wxyc_assets.assets.price_book.load import load_price_book
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.explain import explain

EVENTS = MONEY.table("resource_id", "model", "base_model", "prompt", "cached", "completion", "outcome")


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    """The price file of the page."""
    (shown,) = MONEY.fenced("yaml")
    path = tmp_path / "prices.yaml"
    path.write_text(shown)
    return path


@pytest.fixture
def example(station, prices, tmp_path):
    """The example's events, rated with the example's prices, and the outcome of each in the table."""
    billing, outcomes = RatedUsageRuns(station, folder=tmp_path), []
    for resource, model, base, prompt, cached, completion, outcome in EVENTS:
        tokens = (int(prompt), int(cached), int(completion))
        who = {"auth_id": "key-archive", "resource_id": None if resource == "null" else resource}
        billing.add(event(model, tokens, base_model=None if base == "null" else base, **who))
        outcomes.append(outcome)
    connection = store.open_session(station)
    try:
        rated = store.rate_hour(connection, TEN, store.Cause("run", "explicit", load_price_book(prices)), commit=True)
    finally:
        connection.close()
    return billing, rated, outcomes


def test_the_example_is_billed_as_it_is_told(example):
    billing, rated, outcomes = example
    with billing.postgres.connect() as connection:
        lines = explain(connection, "key-archive", TEN).lines()
    shown = [line[4:] for line in MONEY.indented if "cost = " not in line]
    assert len(shown) == 3
    assert [line for line in shown if line not in lines] == []
    found = (rated.counters.events_rated, rated.counters.unpriced_events)
    assert found == (outcomes.count("rated"), outcomes.count("unpriced"))
    found = (rated.counters.unattributable_events, rated.counters.ambiguous_base_events)
    assert found == (outcomes.count("unattributable"), outcomes.count("ambiguous"))
    assert rated.counters.events == len(outcomes)


def test_the_example_rounds_rates_before_it_multiplies(prices):
    """The arithmetic of the page, computed without the code that bills."""
    (base,) = (price for price in load_price_book(prices).priced if price.model == "bge-m3")
    ((one, factor, product, rounded),) = re.findall(
        r"rate is ([\d.]+) x ([\d.]+) = ([\d.]+), rounded to ([\d.]+)\.", MONEY.on_one_line
    )
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


def test_the_query_of_the_page_shows_the_billing_change(example):
    billing, *_ = example
    (query,) = MONEY.fenced("sql")
    (change,) = billing.query(query)
    assert (change["kind"], change["cost_before"], change["cost_after"]) == ("insert", None, Decimal("0.000001300"))


def test_only_a_routine_run_that_deletes_is_an_anomaly(station, tmp_path):
    """As the table of routine and explicit says."""
    billing = RatedUsageRuns(station, folder=tmp_path, now=TEN + timedelta(hours=1))
    for origin, verdict, level in (("routine", "anomaly", "error"), ("explicit", "done", "info")):
        billing.add(event())
        billing.run(TEN)
        billing.execute("DELETE FROM billing_event")
        assert billing.run(TEN, origin=origin).verdict == verdict
        assert billing.steps("reconcile")[-1]["level"] == level
