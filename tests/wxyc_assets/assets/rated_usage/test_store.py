"""Rating one hour: the behaviour that the predecessor's tests prove, row for row and digit for digit."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.blocked_sessions import wait_until_blocked
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, PRICES, TEN, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices, row_id
from wxyc_assets.assets.rated_usage import store

D = Decimal
FT = Prices({"base": ("0.000004", "0.0000004", "0.000016")}, "multiplier", "1.5")


def one_row(billing):
    """The only billed row."""
    (row,) = billing.billed().values()
    return row


def test_usage_is_billed_by_customer_deployment_and_model(billing):
    billing.prices = Prices(PRICES.base_models, "multiplier", "1.5", {"f": {"derived_from": "b"}})
    billing.add(
        event("b", (100, 30, 50)), event("f", (100, 0, 0)), event("unpriced", (9, 0, 0)), event("b", (9, 0, 0), auth_id=None)
    )  # fmt: skip
    first = billing.rate()
    counters = first.counters
    assert (counters.rollups_written, counters.unpriced_events, counters.unattributable_events) == (2, 1, 1)
    rows = billing.billed()
    assert rows[("a", "r", "b", TEN)]["cost"] == D("0.001365000")
    fine_tune = rows[("a", "r", "f", TEN)]
    assert fine_tune["cost"] == D("0.000750000")
    rates = tuple(f"{fine_tune[f'applied_{kind}_rate']:f}" for kind in ("prompt", "cached", "completion"))
    assert rates == ("0.000007500", "0.000000750", "0.000030000")
    again = billing.rate()
    assert (str(first.total_cost), str(again.total_cost)) == ("0.002115000", "0.002115000")
    assert (billing.billed(), again.counters.rollups_written) == (rows, 2)


def test_each_deployment_is_billed_on_its_own_and_null_never(billing):
    billing.add(*(event("b", resource_id=name) for name in ("deploy-1", "deploy-2", None)))
    counters = billing.rate().counters
    assert (counters.rollups_written, counters.events_rated, counters.unattributable_events) == (2, 2, 1)
    assert {key[1] for key in billing.billed()} == {"deploy-1", "deploy-2"}


@pytest.mark.parametrize("column", ["auth_id", "resource_id", "model"])
def test_only_null_is_unattributable_and_an_empty_text_is_rated(billing, column):
    billing.prices = Prices({**PRICES.base_models, "": ("0.000001", "0", "0")})
    billing.add(event("b", **{column: None}) if column != "model" else event(None))
    billing.add(event("b", **{column: ""}) if column != "model" else event(""))
    counters = billing.rate().counters
    assert (counters.unattributable_events, counters.events_rated) == (1, 1)


def test_a_derived_rate_is_quantised_before_it_is_multiplied(billing):
    """It is rounded half away from zero."""
    billing.prices = Prices({"b": ("0.000000001",) * 3}, "multiplier", "1.5", {"f": {"derived_from": "b"}})
    billing.add(*(event("f", (1, 0, 0)) for _ in range(3)))
    billing.rate()
    assert (one_row(billing)["applied_prompt_rate"], one_row(billing)["cost"]) == (D("0.000000002"), D("0.000000006"))


def test_a_fine_tune_is_priced_by_the_base_that_its_event_names(billing):
    billing.prices = FT
    billing.add(
        event("ft:x", (1000, 0, 0), base_model="base"),
        *(event("ft:y", (1000, 0, 0), base_model=base) for base in (None, "", "unlisted")),
        event("x", (1000, 0, 0), base_model="base"),
    )
    counters = billing.rate().counters
    assert (counters.unpriced_events, counters.rollups_written) == (4, 1)
    assert (one_row(billing)["applied_prompt_rate"], one_row(billing)["cost"]) == (D("0.000006000"), D("0.006000000"))


def test_a_fine_tune_is_never_the_base_of_another(billing):
    billing.prices = Prices(
        FT.base_models, "multiplier", "1.5", {"ft:own": {"rate": ("0.00001", "0.00001", "0.00001")}}
    )
    billing.add(event("ft:abc", base_model="base"), event("ft:def", base_model="ft:own"))
    counters = billing.rate().counters
    assert (counters.events_rated, counters.unpriced_events) == (1, 1)


def test_a_models_own_rate_takes_precedence_over_any_base(billing):
    billing.prices = Prices({**FT.base_models, "b": ("0.000001",) * 3}, "multiplier", "1.5")
    billing.add(event("b", base_model="base"), event("b", base_model="other"), event("b"))
    counters = billing.rate().counters
    assert (counters.rollups_written, counters.events_rated, counters.ambiguous_base_events) == (1, 3, 0)
    assert one_row(billing)["applied_prompt_rate"] == D("0.000001000")


def test_a_fine_tune_with_two_bases_is_not_billed(billing):
    billing.prices = Prices({"cheap": ("0.000001",) * 3, "dear": ("0.000009",) * 3}, "multiplier", "1.5")
    billing.add(*(event("ft:dupe", (1000, 0, 0), base_model=base) for base in ("cheap", "dear")))
    billing.add(event("ft:clean", (1000, 0, 0), base_model="cheap"))
    counters = billing.rate().counters
    assert (counters.rollups_written, counters.events_rated, counters.ambiguous_base_events) == (1, 1, 2)
    assert {key[2]: row["cost"] for key, row in billing.billed().items()} == {"ft:clean": D("0.001500000")}


def test_bases_are_ambiguous_only_within_one_rollup(billing):
    """Two bases on two deployments or in two hours are not ambiguous; two bases with the same rates are."""
    billing.prices = Prices({"one": ("0.000001",) * 3, "two": ("0.000001",) * 3})
    billing.add(event("ft:x", base_model="one", resource_id="r1"), event("ft:x", base_model="two", resource_id="r2"))
    billing.add(event("ft:x", base_model="two", resource_id="r1", event_ts=TEN + HOUR))
    # Two bases with the same rates are still two bases.
    billing.add(*(event("ft:y", base_model=base) for base in ("one", "two")))
    assert billing.rate().counters.ambiguous_base_events == 2
    assert billing.rate(TEN + HOUR).counters.ambiguous_base_events == 0


def test_events_without_a_known_base_make_no_rollup_ambiguous(billing):
    """They are unpriced, also next to an ambiguous rollup."""
    billing.prices = Prices({"one": ("0.000001",) * 3, "two": ("0.000002",) * 3})
    billing.add(event("ft:x", base_model="one"), event("ft:x", base_model=None), event("ft:x", base_model="unlisted"))
    billing.add(*(event("ft:y", base_model=base) for base in ("one", "two", None)))
    counters = billing.rate().counters
    assert (counters.events_rated, counters.unpriced_events, counters.ambiguous_base_events) == (1, 3, 2)
    assert one_row(billing)["event_count"] == 1


@pytest.mark.parametrize(
    ("tokens", "cost"),
    [((100, 30, 0), "0.000219"), ((100, 30, 50), "0.000719"), ((100, 0, 0), "0.0003"), ((100, 100, 0), "0.00003"),
     ((0, 0, 0), "0"), ((10, 40, 0), "0.000012")],
)  # fmt: skip
def test_billable_prompt_tokens_are_never_negative(billing, tokens, cost):
    """All cached tokens are charged."""
    billing.prices = Prices({"m": ("0.000003", "0.0000003", "0.00001")})
    billing.add(event("m", tokens, aborted=True))
    billing.rate()
    assert one_row(billing)["cost"] == D(cost)
    assert one_row(billing)["billable_prompt_tokens"] == max(tokens[0] - tokens[1], 0)


def test_extreme_token_counts_neither_overflow_nor_lose_a_digit(billing):
    billing.prices = Prices({"m": ("0.000003", "0.0000003", "9.123456789")})
    largest = 2**31 - 1
    billing.add(
        event("m", (largest, -1, largest)), event("m", (largest, largest, largest)), event("m", (-largest, 5, 0))
    )
    billing.rate()
    row = one_row(billing)
    assert (row["billable_prompt_tokens"], row["prompt_tokens"]) == (largest + 1, largest)
    assert row["cost"] == (largest + 1) * D("0.000003") + (largest + 4) * D("0.0000003") + 2 * largest * D(
        "9.123456789"
    )


def test_a_cost_too_large_for_the_table_changes_nothing(billing):
    billing.prices = Prices({"m": ("9999999999.9", "0", "0"), **PRICES.base_models})
    billing.add(event("m", (2**31 - 1, 0, 0)), event("b"))
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        billing.rate()
    assert (billing.billed(), billing.changes(), billing.query("SELECT FROM wxyc_assets.tally")) == ({}, [], [])


@pytest.mark.parametrize(
    ("who", "expected"),
    [(("a", "r", "b"), "b196c3eb35c2c6e41e5e27c39b0d1951"), (("a", "r", "f"), "9477770687b0435fbef5aa49f363f497"),
     (("a", "deploy-1", "b"), "e9778c64fb0c8aa46b317a3e636d5968")],
)  # fmt: skip
def test_row_ids_are_those_of_the_predecessor(billing, who, expected):
    billing.prices = Prices({"b": ("0.000001",) * 3, "f": ("0.000001",) * 3})
    billing.add(event(who[2], auth_id=who[0], resource_id=who[1]))
    billing.rate()
    assert one_row(billing)["id"] == expected


def test_row_ids_use_lengths_in_characters_not_bytes(billing):
    billing.add(event("b", auth_id="Żółć|1:a", resource_id="青い"))
    billing.rate()
    assert one_row(billing)["id"] == row_id("Żółć|1:a", "青い", "b", TEN)


def test_the_instant_is_event_ts_or_else_created_at(billing):
    """The start of the hour is included, its end is not."""
    second = timedelta(microseconds=1)
    billing.add(
        event(event_ts=TEN), event(event_ts=TEN + HOUR - second), event(event_ts=TEN - second), event(event_ts=TEN + HOUR)
    )  # fmt: skip
    billing.add(event(event_ts=None, created_at=TEN), event(event_ts=None, created_at=TEN + HOUR))
    billing.add(event(event_ts=TEN, created_at=TEN + 30 * HOUR), event(event_ts=TEN + 30 * HOUR, created_at=TEN))
    assert billing.rate().counters.events == 4


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"])
@pytest.mark.parametrize("hour", [TEN, datetime(2026, 3, 8, 6, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC)])
def test_hours_are_utc_hours_in_any_session_time_zone(billing, zone, hour):
    billing.add(event(event_ts=hour + HOUR / 2), event(event_ts=hour), event(event_ts=hour + HOUR))
    connection = store.open_session(billing.postgres)
    connection.execute("SELECT set_config('timezone', %s, false)", [zone])
    counters = store.rate_hour(connection, hour, store.Cause("run", "explicit", billing.book), commit=True).counters
    connection.close()
    assert (counters.events_rated, counters.rows_inserted) == (2, 1)
    (key,) = billing.billed()
    assert (key[3], one_row(billing)["window_end"], one_row(billing)["id"]) == (
        hour, hour + HOUR, row_id("a", "r", "b", hour)
    )  # fmt: skip
    assert billing.rate(hour).counters.rows_unchanged == 1


def test_a_rerate_deletes_only_stale_rows_of_its_hour(billing):
    billing.add(event(request_id="gone"), *(event(event_ts=TEN + hours * HOUR) for hours in (-1, 1, 2)))
    for hour in (TEN - HOUR, TEN, TEN + HOUR, TEN + 2 * HOUR):
        billing.rate(hour)
    billing.execute("DELETE FROM billing_event WHERE request_id = 'gone'")
    counters = billing.rate().counters
    assert (counters.reconciled_deletions, counters.rollups_written) == (1, 0)
    assert {key[3] for key in billing.billed()} == {TEN - HOUR, TEN + HOUR, TEN + 2 * HOUR}
    assert billing.rate().counters.reconciled_deletions == 0


def test_a_rollup_that_becomes_ambiguous_is_deleted(billing):
    billing.prices = Prices({"cheap": ("0.000001",) * 3, "dear": ("0.000009",) * 3})
    billing.add(event("ft:dupe", base_model="cheap"), event("ft:keep", base_model="cheap"))
    assert (billing.rate().counters.rollups_written, billing.rate().counters.reconciled_deletions) == (2, 0)
    billing.add(event("ft:dupe", base_model="dear"))
    counters = billing.rate().counters
    assert (counters.ambiguous_base_events, counters.reconciled_deletions, counters.rows_unchanged) == (2, 1, 1)
    assert {key[2] for key in billing.billed()} == {"ft:keep"}
    assert billing.rate().counters.reconciled_deletions == 0


def test_rows_with_a_start_within_the_hour_are_reconciled(billing):
    billing.add(event())
    billing.rate()
    billing.execute("UPDATE rated_usage SET window_start = window_start + interval '20 minutes'")
    counters = billing.rate().counters
    assert (counters.rows_inserted, counters.reconciled_deletions) == (1, 1)
    assert [key[3] for key in billing.billed()] == [TEN]


def test_correct_rows_are_neither_rewritten_nor_recorded(billing):
    billing.add(*(event(resource_id=f"r{number}") for number in range(20)))
    billing.rate()
    before, changes = billing.stored_exactly(), billing.changes()
    counters = billing.rate(run_id="again").counters
    assert (counters.rows_unchanged, counters.changes, counters.rows_written) == (20, 0, 0)
    assert (billing.stored_exactly(), billing.changes()) == (before, changes)


@pytest.mark.parametrize(
    "column",
    ["prompt_tokens", "cached_tokens", "completion_tokens", "billable_prompt_tokens", "cost", "applied_prompt_rate",
     "applied_cached_rate", "applied_completion_rate", "event_count"],
)  # fmt: skip
def test_any_wrong_value_of_a_row_is_corrected_under_its_old_id(billing, column):
    billing.add(event("b", (100, 30, 50)))
    billing.rate()
    right = one_row(billing)
    billing.execute(f"UPDATE rated_usage SET {column} = {column} + 1, id = 'other-id'")
    counters = billing.rate().counters
    assert (counters.rows_changed, counters.rows_inserted) == (1, 0)
    assert one_row(billing) == {**right, "id": "other-id"}


def test_a_wrong_window_end_is_corrected(billing):
    billing.add(event())
    billing.rate()
    billing.execute("UPDATE rated_usage SET window_end = window_end + interval '1 hour'")
    assert billing.rate().counters.rows_changed == 1
    assert one_row(billing)["window_end"] == TEN + HOUR


def test_every_change_is_recorded_with_before_after_and_cause(billing):
    billing.add(event(request_id="one"), event(resource_id="other"))
    billing.rate(run_id="first", origin="routine")
    old_digest = billing.book.digest
    billing.prices = Prices({"b": ("0.000006", "0", "0.00002")})
    billing.execute("DELETE FROM billing_event WHERE request_id = 'one'")
    moved = billing.rate(run_id="second")
    changes = [tuple(change[name] for name in ("kind", "resource_id", "cost_before", "cost_after", "run_id", "origin"))
               for change in billing.changes()]  # fmt: skip
    assert sorted(changes[:2]) == [
        ("insert", "other", None, "0.000500000", "first", "routine"),
        ("insert", "r", None, "0.000500000", "first", "routine"),
    ]
    assert sorted(changes[2:]) == [
        ("change", "other", "0.000500000", "0.000600000", "second", "explicit"),
        ("delete", "r", "0.000500000", None, "second", "explicit"),
    ]
    assert [change["price_digest"] for change in billing.changes()] == [old_digest] * 2 + [billing.book.digest] * 2
    assert {name: str(amount) for name, amount in moved.money.items()} == {
        "total_cost": "0.000600000", "cost_before": "0.001000000", "cost_raised": "0.000100000",
        "cost_lowered": "0.000500000", "cost_moved": "-0.000400000",
    }  # fmt: skip


def test_the_ledger_can_restore_every_earlier_row(billing):
    billing.add(event("b", (100, 30, 50), request_id="one"))
    billing.rate()
    row = billing.query("SELECT * FROM rated_usage")[0]
    billing.execute("DELETE FROM billing_event")
    billing.rate()
    names = [name for name in row if name not in {"id", "auth_id", "resource_id", "model_id", "window_start"}]
    billing.execute(
        f"INSERT INTO rated_usage (id, auth_id, resource_id, model_id, window_start, {', '.join(names)}) "
        f"SELECT usage_id, auth_id, resource_id, model_id, window_start, {', '.join(f'(before).{name}' for name in names)} "
        "FROM wxyc_assets.usage_change WHERE kind = 'delete'"
    )
    assert billing.query("SELECT * FROM rated_usage") == [row]


def test_the_tally_is_written_with_the_rows_with_money_as_text(billing):
    billing.add(event("b", (100, 30, 50)), event("unlisted"))
    rated = billing.rate(run_id="run")
    (tally,) = billing.query("SELECT * FROM wxyc_assets.tally")
    assert (tally["asset"], tally["partition_key"], tally["run_id"]) == ("rated_usage", "2026-06-08-10:00", "run")
    assert tally["complete"]
    assert tally["counters"] == {**rated.stored(), "price_digest": billing.book.digest}
    assert (tally["counters"]["total_cost"], tally["counters"]["unpriced_events"]) == ("0.001365000", 1)


def test_a_plan_has_the_numbers_of_the_rating_that_follows(billing):
    """It changes nothing in the database."""
    billing.add(event(), event(request_id="gone", resource_id="other"))
    billing.rate()
    billing.add(event("b", (7, 0, 0)), event(auth_id="new"))
    billing.execute("DELETE FROM billing_event WHERE request_id = 'gone'")
    before = (billing.stored_exactly(), billing.changes(), billing.query("SELECT * FROM wxyc_assets.tally"))
    plan = billing.rate(commit=False)
    assert (billing.stored_exactly(), billing.changes(), billing.query("SELECT * FROM wxyc_assets.tally")) == before
    assert plan == billing.rate()
    assert (plan.counters.rows_inserted, plan.counters.rows_changed, plan.counters.reconciled_deletions) == (1, 1, 1)


def test_a_row_changed_since_the_snapshot_is_not_overwritten(billing):
    """The statement fails, and the next one records the changed value."""
    billing.add(event())
    billing.rate()
    billing.add(event())
    with billing.postgres.connect() as other, ThreadPoolExecutor(1) as elsewhere:
        with other.transaction():
            other.execute("UPDATE rated_usage SET cost = 77")
            rating = elsewhere.submit(billing.rate)
            wait_until_blocked(billing.postgres, other)
        with pytest.raises(psycopg.errors.SerializationFailure):
            rating.result()
    assert len(billing.changes()) == 1
    billing.rate()
    assert billing.changes()[-1]["cost_before"] == "77.000000000"


@pytest.mark.parametrize(
    ("rates", "tokens", "uncharged"),
    [
        (("0", "0.1", "0.1"), (5, 0, 0), True), (("0", "0.1", "0.1"), (5, 0, 1), False),
        (("0.1", "0", "0.1"), (5, 5, 0), True), (("0.1", "0", "0.1"), (6, 5, 0), False),
        (("0.1", "0.1", "0"), (0, 0, 5), True), (("0.1", "0.1", "0"), (1, 0, 5), False),
        (("0", "0", "0.1"), (9, 5, 0), True), (("0", "0", "0"), (9, 5, 5), False),
        (("0.1", "0.1", "0"), (0, 0, 0), False), (("0.1", "0.1", "0.1"), (0, 0, 0), False),
    ],
)  # fmt: skip
def test_work_without_charge_is_counted_for_each_event(billing, rates, tokens, uncharged):
    billing.prices = Prices({"m": rates})
    billing.add(event("m", tokens), event("m", tokens), event("m", (900, 30, 50)))
    counters = billing.rate().counters
    assert (counters.uncharged_events, counters.rollups_written) == (2 * uncharged, 1)


def test_events_of_a_free_model_are_no_work_without_charge(billing):
    billing.prices = Prices({"free": ("0", "0", "0"), "part": ("0", "0.1", "0.1")})
    billing.add(event("free", (5, 2, 5)), event("part", (5, 2, 5)))
    assert billing.rate().counters.uncharged_events == 0


def test_an_hour_without_usage_is_rated_with_no_rows(billing):
    rated = billing.rate()
    assert not any(rated.counters.stored().values())
    assert str(rated.total_cost) == "0.000000000"
    assert len(billing.query("SELECT FROM wxyc_assets.tally WHERE complete")) == 1


def test_only_committed_hours_count_as_rated(billing):
    billing.rate()
    billing.rate(TEN + HOUR, commit=False)
    keys = ["2026-06-08-10:00", "2026-06-08-11:00"]
    with billing.postgres.connect() as connection:
        assert store.rated_hours(connection, keys) == {keys[0]}
        assert store.rated_hours(connection, keys[1:]) == set()
