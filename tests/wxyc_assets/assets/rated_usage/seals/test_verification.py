"""Verification finds every change of a row, of an event and of a seal, and nothing where nothing changed."""

import random
from datetime import timedelta

import pytest

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.assets.rated_usage.seals.verification import NEVER_RATED
from wxyc_assets.runs.partitions import hour_key

TAMPERINGS = {
    "UPDATE rated_usage SET {} WHERE ctid = (SELECT ctid FROM rated_usage ORDER BY id OFFSET %s LIMIT 1)": (
        *(
            "cost = cost + 0.000000001",
            "cost = -cost",
            "prompt_tokens = prompt_tokens + 1",
            "event_count = event_count + 1",
        ),
        *("cached_tokens = cached_tokens - 1", "completion_tokens = 0", "billable_prompt_tokens = 1"),
        *(
            "applied_prompt_rate = 0",
            "applied_cached_rate = 1",
            "applied_completion_rate = applied_completion_rate * 2",
        ),
        *("auth_id = 'z'", "resource_id = 'z'", "model_id = 'z'", "id = 'z'", "rated_at = rated_at + interval '1 s'"),
        *("window_end = window_end + interval '1 s'", "window_start = window_start + interval '20 hours'"),
    ),
    "UPDATE billing_event SET {} WHERE ctid = (SELECT ctid FROM billing_event ORDER BY request_id OFFSET %s LIMIT 1)": (
        *("prompt_tokens = prompt_tokens + 1", "cached_tokens = 0", "completion_tokens = 1", "auth_id = 'z'"),
        *("resource_id = NULL", "model = 'z'", "base_model = 'b'", "event_ts = event_ts + interval '1 s'"),
        *("request_id = request_id || 'z'", "created_at = created_at + interval '1 s'"),
    ),
    "UPDATE wxyc_assets.seal SET {} WHERE seal_id = %s + 1": (
        *("cost = cost + 1", "rows_digest = repeat('0', 64)", "made_by = 'z'", "row_count = row_count + 1"),
        *("made_at = made_at + interval '1 s'", "rated_by = 'z'", "window_start = window_start - interval '1 hour'"),
    ),
}
DELETIONS = (
    "DELETE FROM rated_usage WHERE ctid = (SELECT ctid FROM rated_usage ORDER BY id OFFSET %s LIMIT 1)",
    "DELETE FROM billing_event WHERE ctid = (SELECT ctid FROM billing_event ORDER BY request_id OFFSET %s LIMIT 1)",
    "DELETE FROM wxyc_assets.seal WHERE seal_id = %s + 1",
)
STATEMENTS = [template.format(change) for template, changes in TAMPERINGS.items() for change in changes]


def test_rated_and_sealed_hours_are_verified(seals):
    seals.rate(models=("b", "unknown"))
    seals.seal(2)
    seals.billing.prices = Prices({"b": ("0.000006", "0.0000005", "0.00002")})
    assert seals.verify() == ([], [])


def test_every_single_tampering_is_found(seals):
    """Each of 200 changes of one row is undone before the next."""
    seals.rate(hours=6, customers=("a", "c", "d"))
    seals.seal(6)
    draw = random.Random(15)
    statements = [*STATEMENTS, *DELETIONS] * 6
    for statement in draw.sample(statements, 200):
        place = draw.randrange(5)
        with seals.postgres.connect() as connection:
            tables = ("rated_usage", "billing_event", "wxyc_assets.seal")
            for number, table in enumerate(tables):
                connection.execute(f"CREATE TABLE kept_{number} AS TABLE {table}")
            connection.execute(statement, [place])
        hours, chain = seals.verify(6)
        assert hours or chain, (statement, place)
        with seals.postgres.connect() as connection:
            for number, table in enumerate(tables):
                override = "OVERRIDING SYSTEM VALUE" if table == "wxyc_assets.seal" else ""
                connection.execute(f"DELETE FROM {table}; INSERT INTO {table} {override} TABLE kept_{number}")
                connection.execute(f"DROP TABLE kept_{number}")
    assert seals.verify(6) == ([], [])


def test_difference_names_hour_row_and_money(seals):
    seals.rate()
    seals.seal()
    seals.billing.execute("UPDATE rated_usage SET cost = 0.5 WHERE auth_id = 'c' AND window_start = %s", [TEN + HOUR])
    (problem,), chain = seals.verify()
    assert chain == []
    assert problem.startswith("2026-06-08-11:00 (sealed): its 2 rows (0.501365000 USD) are not the 2 that were sealed")
    assert "b of c on r: billed 0.500000000 USD, its events cost 0.001365000 USD" in problem


@pytest.mark.parametrize("column", ["id = 'z'", "rated_at = now() + interval '1 day'"])
def test_what_no_rating_decides_is_compared_with_the_ledger(seals, column):
    seals.rate()
    seals.billing.execute(f"UPDATE rated_usage SET {column} WHERE auth_id = 'c' AND window_start = %s", [TEN])
    (problem,), _ = seals.verify()
    assert "b of c on r: not the id or the time of rating that the ledger has" in problem


def test_acceptance_is_about_the_rating_before_it(seals):
    seals.rate()
    seals.billing.add(event("b", event_ts=TEN, created_at=TEN + timedelta(days=2)))
    seals.accept(hour_key(TEN))
    assert seals.verify() == ([], [])
    seals.billing.run(hours=3)
    seals.billing.execute("UPDATE rated_usage SET cost = cost + 1 WHERE auth_id = 'c' AND window_start = %s", [TEN])
    (problem,), _ = seals.verify()
    assert "b of c on r: billed 1.001365000 USD, its events cost 0.001365000 USD" in problem


def test_hour_of_the_predecessor_is_unknown(seals):
    seals.rate(2)
    assert seals.verify(3) == ([f"{hour_key(TEN + 2 * HOUR)}: {NEVER_RATED}"], [])


def test_verification_changes_nothing(seals):
    seals.rate()
    seals.seal(2)
    seals.billing.add(event("b", event_ts=TEN, created_at=TEN + timedelta(days=2)))
    before = seals.billing.everything()
    assert len(seals.verify()[0]) == 1
    assert seals.billing.everything() == before


def test_lost_price_file_makes_the_hour_unknown(seals):
    seals.rate()
    seals.seal()
    seals.billing.execute("DELETE FROM wxyc_assets.price_book")
    (problem,), _ = seals.verify()
    assert problem.startswith(
        "2026-06-08-10:00 to 2026-06-08-12:00 (sealed): no price book of this station has a digest that begins with"
    )


def test_organisation_is_sealed_with_the_row(seals):
    seals.billing.execute("ALTER TABLE billing_event ADD COLUMN org_id text")
    seals.billing.execute("ALTER TABLE rated_usage ADD COLUMN org_id text")
    seals.rate()
    seals.billing.execute("UPDATE billing_event SET org_id = 'o' WHERE auth_id = 'a'")
    seals.billing.run(hours=3)
    seals.seal()
    assert seals.verify() == ([], [])
    seals.billing.execute("UPDATE billing_event SET org_id = 'p' WHERE auth_id = 'a' AND event_ts = %s", [TEN])
    (problem,), _ = seals.verify()
    assert "its 2 events are not the 2 that it was sealed with" in problem
