"""The changes of billed rows: complete, exact and with their cause, over random histories against an oracle in plain Python."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import psycopg
import pytest

from tests.wxyc_assets.assets.rated_usage.harness import TEN, event
from tests.wxyc_assets.assets.rated_usage.histories import change_cause, histories
from wxyc_assets.assets.rated_usage.reports.changes import ChangeSums, read_changes
from wxyc_assets.assets.rated_usage.reports.rows import instant_text

EVER = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2126, 1, 1, tzinfo=UTC))


def changes_of(billing, since=EVER[0], until=EVER[1]):
    with billing.postgres.connect() as connection, connection.transaction():
        return list(read_changes(connection, since, until))


def cost(row):
    return None if row is None else f"{row['cost']:.9f}"


def as_read(change):
    auth_id, resource_id, model_id, hour = change["key"]
    old, new = change["before"], change["after"]
    return {
        "auth_id": auth_id,
        "resource_id": resource_id,
        "model_id": model_id,
        "window_start": instant_text(hour),
        "kind": "insert" if old is None else "delete" if new is None else "change",
        "cost_before": cost(old),
        "cost_after": cost(new),
        "events_before": old and old["event_count"],
        "events_after": new and new["event_count"],
        "prompt_rate_after": new and f"{new['applied_prompt_rate']:.9f}",
        "run_id": change["run_id"],
        "origin": change["origin"],
        "price_digest": change["digest"],
    }


@pytest.mark.parametrize("seed", range(6))
def test_changes_and_sums_are_those_of_the_history(billing, seed):
    expected = [change for step in histories(billing, seed) for change in step]
    assert expected
    found = changes_of(billing)
    wanted = [as_read(change) for change in expected]
    shown = [{name: change[name] for name in wanted[0]} for change in found]
    assert sorted(map(repr, shown)) == sorted(map(repr, wanted))
    causes = {(c["run_id"], c["auth_id"], c["resource_id"], c["model_id"]): c["cause"] for c in found}
    for change in expected:
        if change["before"] and change["after"]:
            assert causes[(change["run_id"], *change["key"][:3])] == change_cause(change)

    moved: dict[str, Decimal] = defaultdict(Decimal)
    for change in expected:
        new, old = ((row["cost"] if row else Decimal(0)) for row in (change["after"], change["before"]))
        moved[change["run_id"]] += new - old
    sums = ChangeSums()
    for change in found:
        sums.add(change)
    by_run: dict[str, Decimal] = defaultdict(Decimal)
    for maker, each in sums.by_run.items():
        by_run[maker.run_id] += Decimal(str(each.moved))
    assert by_run == moved
    assert Decimal(str(sums.total.moved)) == sum(moved.values())
    assert sum(Decimal(str(each.moved)) for each in sums.by_cause.values()) == sum(moved.values())
    counted = sums.total.inserted, sums.total.changed, sums.total.deleted
    assert sum(counted) == len(expected)


def test_only_changes_made_in_the_time_are_listed(billing):
    billing.add(event())
    billing.rate()
    ((made,),) = [tuple(row.values()) for row in billing.query("SELECT changed_at FROM wxyc_assets.usage_change")]
    tick = timedelta(microseconds=1)
    assert len(changes_of(billing, made, made + tick)) == 1
    assert changes_of(billing, made - tick, made) == []
    assert changes_of(billing, made + tick, EVER[1]) == []


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        ("prompt_tokens = prompt_tokens + 1, event_count = event_count + 1", "events"),
        ("applied_cached_rate = applied_cached_rate + 1", "prices"),
        ("applied_cached_rate = applied_cached_rate + 1, cached_tokens = 77", "both"),
    ],
)
def test_a_change_older_than_the_column_has_the_cause_it_shows(billing, edit, cause):
    billing.add(event())
    billing.rate()
    billing.execute(f"UPDATE rated_usage SET {edit}")
    billing.rate()
    billing.execute("UPDATE wxyc_assets.usage_change SET cause = NULL")
    assert [change["cause"] for change in changes_of(billing)] == ["unknown", cause]


def test_rows_are_read_as_they_are_iterated(billing):
    billing.add(event())
    billing.rate(TEN)
    with billing.postgres.connect() as connection, connection.transaction():
        rows = read_changes(connection, *EVER)
        assert rows.columns[0] == "change_id"
        assert len(list(rows.tuples)) == 1
        with pytest.raises(psycopg.errors.InvalidCursorName):
            connection.execute("FETCH 1 FROM select_changes")
