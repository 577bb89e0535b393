"""The rating statement against the reference formula, for any events and prices, and its query plan."""

import re
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.wxyc_assets.assets.rated_usage import oracle
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.billing_tables import BillingTables, rating_statement
from wxyc_assets.assets.rated_usage.counters import sum_results
from wxyc_assets.sandbox.generator import generate_billing_events

MODELS = ("b1", "b2", "own", "ft:own", "ft:derived", "ft:x", "ft:y", "plain", "", "unlisted")
BASES = (None, "", "b1", "b2", "own", "ft:own", "ft:derived", "unlisted")

rates = st.sampled_from(
    ["0", "0.0000000005", "0.0000000014", "0.000000001", "0.00000015", "1.2345678905", "+007", "12.3"]
)
triples = st.tuples(rates, rates, rates)
premiums = st.one_of(
    st.just(("identity", "")),
    st.tuples(st.just("multiplier"), st.sampled_from(["1", "1.5", "1.3333333333333333", "2.000000001"])),
    st.tuples(st.just("markup"), st.sampled_from(["0", "0.0000000005", "0.00000123456"])),
)
prices = st.builds(
    lambda b1, b2, own, ft_own, premium, derived: Prices(
        {"b1": b1, "b2": b2},
        policy=premium[0],
        amount=premium[1],
        fine_tunes={
            "own": {"rate": own},
            "ft:own": {"rate": ft_own, "derived_from": "b1"},
            "ft:derived": {"derived_from": derived},
        },
    ),
    triples, triples, triples, triples, premiums, st.sampled_from(["b1", "b2", "own"]),
)  # fmt: skip
tokens = st.one_of(st.integers(0, 40), st.sampled_from([0, 1, 2**31 - 1]))
instants = st.integers(-70, 130).map(lambda minutes: TEN + timedelta(minutes=minutes))
events = st.builds(
    event,
    st.sampled_from((None, *MODELS)),
    st.tuples(tokens, tokens, tokens),
    auth_id=st.sampled_from([None, "", "a", "Żółć"]),
    resource_id=st.sampled_from([None, "r", "青い|1:r"]),
    base_model=st.sampled_from(BASES),
    aborted=st.booleans(),
    event_ts=st.one_of(st.none(), instants),
    created_at=instants,
)


def assert_matches(billing, rated, expected):
    """Assert that rows and counters are equal, row for row and digit for digit."""
    assert {key: {**row, "cost": f"{row['cost']:f}"} for key, row in billing.billed().items()} == {
        key: {**row, "cost": f"{row['cost']:.9f}"} for key, row in expected.rows.items()
    }
    for field in fields(expected):
        if field.name not in {"rows", "total_cost"}:
            assert getattr(rated.counters, field.name) == getattr(expected, field.name), field.name
    assert str(rated.total_cost) == f"{expected.total_cost:.9f}"
    assert rated.counters.rollups_written == len(expected.rows)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(book=prices, before=st.lists(events, max_size=25), after=st.lists(events, max_size=25), other=prices)
def test_any_events_at_any_prices_match_the_reference_formula(billing, book, before, after, other):
    """The second rating has other events and prices, so that rows are inserted, changed, left unchanged and deleted."""
    billing.execute("TRUNCATE billing_event, rated_usage, wxyc_assets.usage_change, wxyc_assets.tally")
    for prices_now, events_now in ((book, before), (other, after)):
        billing.prices = prices_now
        billing.execute("DELETE FROM billing_event WHERE random() < 0.5")
        billing.add(*events_now)
        stored = billing.query("SELECT * FROM billing_event")
        before_rows = billing.billed()
        plan = billing.rate(commit=False)
        rated = billing.rate()
        assert plan == rated
        expected = oracle.rate(stored, prices_now, TEN, TEN + HOUR)
        assert_matches(billing, rated, expected)
        assert_ledger_leads_from(billing, before_rows)


def assert_ledger_leads_from(billing, rows):
    """Assert that the ledger's changes of the last rating lead from the rows before it to those after it."""
    after = billing.billed()
    changes = billing.query(
        "SELECT auth_id, resource_id, model_id, window_start, (before).cost AS cost_before, (after).cost AS cost_after "
        "FROM wxyc_assets.usage_change"
    )
    billing.execute("TRUNCATE wxyc_assets.usage_change")
    changed = {(c["auth_id"], c["resource_id"], c["model_id"], c["window_start"]): c for c in changes}
    assert len(changed) == len(changes)
    assert set(changed) == {key for key in rows.keys() | after.keys() if rows.get(key) != after.get(key)}
    for key, change in changed.items():
        assert change["cost_before"] == (rows[key]["cost"] if key in rows else None)
        assert change["cost_after"] == (after[key]["cost"] if key in after else None)


def test_a_day_of_irregular_events_matches_the_reference_formula(billing):
    rate = ("0.0000001505", "0", "0.0000006")
    billing.prices = Prices({"b1": rate, "b2": rate, "b3": ("0", "0.1", "0")}, "multiplier", "1.5")
    models = {"b1": None, "b2": "b1", "b3": None, "ft:x": "b1", "ft:y": "b2", "ft:z": "b3"}
    with billing.postgres.connect() as connection:
        generate_billing_events(
            connection, 6000, first_instant=TEN, hours=24, accounts=25, models=models, odd_share=0.4
        )
        generate_billing_events(
            connection, 500, first_instant=TEN, hours=24, accounts=25, models={"ft:x": "b2"}, seed=7
        )
    rated = sum_results(billing.rate(TEN + place * HOUR) for place in range(24))
    expected = oracle.rate(billing.query("SELECT * FROM billing_event"), billing.prices, TEN, TEN + 24 * HOUR)
    assert min(expected.unpriced_events, expected.unattributable_events, expected.ambiguous_base_events) > 100
    assert expected.uncharged_events > 0
    assert_matches(billing, rated, expected)


@pytest.fixture(scope="module")
def populated(server, station_template):
    """A database with forty rated hours of events, analysed."""
    from resources.postgres import Postgres
    from wxyc_assets.assets.price_book.book import Price, PriceBook, Rates

    template = psycopg.conninfo.conninfo_to_dict(station_template)["dbname"]
    dsn = server.create_database(template=str(template))
    book = PriceBook(1, "0" * 64, (Price("b", Rates(Decimal(1), Decimal(1), Decimal(1)), "base"),), ())
    postgres = Postgres(dsn)
    with postgres.connect() as connection:
        generate_billing_events(connection, 40_000, first_instant=TEN, hours=40, accounts=100, models={"b": None})
        session = store.open_session(postgres)
        for place in range(40):
            store.rate_hour(session, TEN + place * HOUR, store.Cause("run", "explicit", book), commit=True)
        session.close()
        connection.execute("ANALYZE")
        yield connection, store.Cause("run", "explicit", book)
    server.drop_database(dsn)


def plan_of(connection, cause):
    """The query plan of the statement, with the settings and parameters of a real run."""
    with connection.transaction(force_rollback=True):
        store.execute(connection, "prefer_hashing")
        explained = psycopg.sql.SQL("EXPLAIN ") + rating_statement(BillingTables.read(connection))
        return "\n".join(row[0] for row in connection.execute(explained, store.parameters(TEN + 7 * HOUR, cause)))


INSTANT_INDEX, WINDOW_INDEX = "billing_event_rating_instant_ix", "rated_usage_window_start_ix"


def test_the_statement_reads_both_ranges_through_their_indexes(populated):
    plan = plan_of(*populated)
    assert f"Scan using {INSTANT_INDEX}" in plan or f"Scan on {INSTANT_INDEX}" in plan
    assert f"Scan using {WINDOW_INDEX}" in plan or f"Scan on {WINDOW_INDEX}" in plan
    assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= {"rated_hour"}  # which is empty here
    (sort_key,) = re.findall(r"Sort Key: (.*)", plan)  # of customers, never of events
    assert re.sub(r"\bb_\d", "b", sort_key) == "(sum(b.cost)) DESC, b.auth_id"


@pytest.mark.parametrize("index", [INSTANT_INDEX, WINDOW_INDEX])
def test_without_its_index_a_range_is_a_sequential_scan(populated, index):
    """This proves that the test above can fail."""
    connection, cause = populated
    with connection.transaction(force_rollback=True):
        connection.execute(psycopg.sql.SQL("DROP INDEX {}").format(psycopg.sql.Identifier(index)))
        assert "Seq Scan" in plan_of(connection, cause)
