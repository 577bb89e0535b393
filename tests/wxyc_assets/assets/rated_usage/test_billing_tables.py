"""Rating on tables with and without org_id, and with ids that the table gives, against the reference formula."""

import random
import uuid
from datetime import timedelta
from typing import Any

import pytest

from tests.wxyc_assets.assets.rated_usage import oracle
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices, row_id
from wxyc_assets.assets.rated_usage.billing_tables import BillingTables

EVENTS_HAVE_ORG = "ALTER TABLE billing_event ADD COLUMN org_id varchar(255)"
ROWS_HAVE_ORG = "ALTER TABLE rated_usage ADD COLUMN org_id varchar(64)"
BOTH = (EVENTS_HAVE_ORG, ROWS_HAVE_ORG)
UUID_ID = "ALTER TABLE rated_usage ALTER id TYPE uuid USING id::uuid"
TEXT_ID = "ALTER TABLE rated_usage ALTER id TYPE text"
ID_DEFAULTS = {
    "uuid": (UUID_ID, "ALTER TABLE rated_usage ALTER id SET DEFAULT gen_random_uuid()"),
    "text": (TEXT_ID, "ALTER TABLE rated_usage ALTER id SET DEFAULT format('%s', gen_random_uuid())"),
    "varchar": ("ALTER TABLE rated_usage ALTER id SET DEFAULT replace(gen_random_uuid()::text, '-', '')",),
}
SHAPES = {
    "none": (),
    "both": BOTH,
    "only events": (EVENTS_HAVE_ORG,),
    "only rows": (ROWS_HAVE_ORG,),
    "both, org is a uuid": (
        "ALTER TABLE billing_event ADD COLUMN org_id uuid",
        "ALTER TABLE rated_usage ADD COLUMN org_id uuid",
    ),
    "both, random ids": (*BOTH, *ID_DEFAULTS["uuid"]),
}
FIRST, SECOND = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def alter(billing, *statements):
    for statement in statements:
        billing.execute(statement)


def tables_of(billing):
    with billing.postgres.connect() as connection:
        return BillingTables.read(connection)


@pytest.fixture
def organised(billing):
    """A station whose tables have org_id."""
    alter(billing, *BOTH)
    return billing


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
def test_each_shape_of_the_tables_rates_by_the_formula(billing, shape, seed):
    """Random histories of events, their organisations and prices; a plan before each rating has its numbers."""
    alter(billing, *SHAPES[shape])
    tables, rng = tables_of(billing), random.Random(seed)
    stored: dict[tuple[Any, ...], dict[str, Any]] = {}
    for _ in range(7):
        billing.prices = Prices({"b": (rng.choice(["0.000001", "0.000002"]),) * 3, "c": ("0.5",) * 3})
        billing.add(*(_an_event(rng, tables) for _ in range(rng.randrange(12))))
        billing.execute("DELETE FROM billing_event WHERE abs(hashtext(request_id)) %% 4 = %s", [rng.randrange(4)])
        plan = billing.rate(commit=False)
        assert billing.billed() == stored
        rated = billing.rate()
        assert rated == plan
        now = billing.billed()
        expected = oracle.rate(_seen(billing, tables), billing.prices, TEN, TEN + HOUR)
        assert _without_ids(now) == _carrying(expected.rows, stored, tables)
        assert rated.counters.ambiguous_org_events == expected.ambiguous_org_events
        assert rated.counters.events == rated.counters.events_rated + rated.counters.anomalies == expected.events
        assert rated.counters.reconciled_deletions == len(stored.keys() - now.keys())
        assert all(now[key]["id"] == stored[key]["id"] for key in now.keys() & stored.keys())
        stored = now


def _an_event(rng, tables):
    org = {"org_id": rng.choice([None, None, FIRST, FIRST, SECOND])} if tables.events_have_org else {}
    return event(
        rng.choice(["b", "c", "unlisted"]),
        (rng.randrange(50), rng.randrange(9), 0),
        request_id=f"{rng.getrandbits(64):x}",
        auth_id=rng.choice(["a", "x", None]),
        event_ts=TEN + timedelta(seconds=rng.randrange(3600)),
        **org,
    )


def _seen(billing, tables):
    """Return the events as the rating is to see them: an organisation that no row can name does not matter."""
    events = billing.query("SELECT * FROM billing_event")
    for one in events:
        org = one.pop("org_id", None)
        if tables.usage_org_type:
            one["org_id"] = str(org) if org and tables.carry_org else None
    return events


def _carrying(rows, stored, tables):
    if not tables.usage_org_type:
        return _without_ids(rows)
    kept = {key: row["org_id"] and str(row["org_id"]) for key, row in stored.items()}
    return {key: {**row, "org_id": row["org_id"] or kept.get(key)} for key, row in _without_ids(rows).items()}


def _without_ids(rows):
    return {
        key: {name: str(value) if name == "org_id" and value else value for name, value in row.items() if name != "id"}
        for key, row in rows.items()
    }


def test_events_of_two_organisations_bill_none_of_them(organised):
    """In two rows they are not ambiguous, and an event without one joins the row of the others."""
    organised.add(
        event(org_id=FIRST), event(org_id=SECOND), event(),
        event(org_id=FIRST, resource_id="s"), event(resource_id="s"),
        event(org_id=SECOND, resource_id="t"),
    )  # fmt: skip
    counters = organised.rate().counters
    assert (counters.ambiguous_org_events, counters.events_rated, counters.rollups_written) == (3, 3, 2)
    rows = {key[1]: row["org_id"] for key, row in organised.billed().items()}
    assert rows == {"s": FIRST, "t": SECOND}


def test_two_bases_count_before_two_organisations(organised):
    organised.prices = Prices({"cheap": ("0.000001",) * 3, "dear": ("0.000009",) * 3})
    organised.add(
        event("ft:x", base_model="cheap", org_id=FIRST), event("ft:x", base_model="dear", org_id=SECOND),
    )  # fmt: skip
    counters = organised.rate().counters
    assert (counters.ambiguous_base_events, counters.ambiguous_org_events, counters.events) == (2, 0, 2)


def test_a_row_that_becomes_ambiguous_is_deleted_and_recorded(organised):
    organised.add(event(org_id=FIRST))
    organised.rate()
    organised.add(event(org_id=SECOND))
    assert organised.rate().counters.reconciled_deletions == 1
    assert organised.billed() == {}
    (_, deleted) = organised.query(
        "SELECT kind, (before).org_id AS org FROM wxyc_assets.usage_change ORDER BY change_id"
    )
    assert deleted == {"kind": "delete", "org": FIRST}


def test_no_rating_erases_the_organisation_of_a_row(organised):
    """token-push or an operator may have filled it in: the row is not even rewritten."""
    organised.add(event())
    organised.rate()
    organised.execute("UPDATE rated_usage SET org_id = %s", [FIRST])
    exactly = organised.stored_exactly()
    assert organised.rate().counters.rows_unchanged == 1
    assert organised.stored_exactly() == exactly
    organised.add(event("b", (7, 0, 0)))
    assert organised.rate().counters.rows_changed == 1
    ((_, row),) = organised.billed().items()
    assert (row["org_id"], row["event_count"]) == (FIRST, 2)


def test_the_column_arrives_between_two_ratings(billing):
    """The first rating after the migration fills it in, and the ledger says so."""
    billing.add(event())
    billing.rate()
    alter(billing, *BOTH)
    billing.execute("UPDATE billing_event SET org_id = %s", [FIRST])
    rated = billing.rate()
    assert (rated.counters.rows_changed, str(rated.cost_moved), rated.counters.rows_repriced) == (1, "0.000000000", 0)
    (change,) = billing.query(
        "SELECT cause, (before).org_id AS before, (after).org_id AS after FROM wxyc_assets.usage_change WHERE kind = 'change'"
    )
    assert change == {"cause": "events", "before": None, "after": FIRST}
    assert billing.rate().counters.rows_unchanged == 1


def test_an_organisation_that_does_not_fit_fails_its_hour(organised):
    organised.add(event(org_id="o" * 65), event(event_ts=TEN + HOUR, org_id=FIRST))
    report = organised.run(hours=2)
    assert (report.verdict, list(report.done)) == ("failed", ["2026-06-08-11:00"])
    assert "value too long for type character varying(64)" in report.reason


def test_a_run_fails_the_check_and_names_the_hour(organised):
    organised.add(event(org_id=FIRST), event(org_id=SECOND), event(resource_id="s", org_id=FIRST))
    report = organised.run(hours=2)
    failed = {found.name: found.by_partition for found in report.findings if not found.passed}
    assert failed == {"ambiguous_org_zero": {"2026-06-08-10:00": 2}}
    assert report.verdict == "anomaly"
    lines = {line["step"]: line["message"] for line in organised.lines if line["level"] == "error"}
    assert lines["ambiguous_org"].startswith("2 AMBIGUOUS-ORG events were left out in [2026-06-08T10:00:00Z,")
    assert (
        "unpriced_events=0, unattributable_events=0, ambiguous_base_events=0, ambiguous_org_events=2"
        in lines["summary"]
    )


@pytest.mark.parametrize("kind", ID_DEFAULTS)
def test_a_new_row_gets_the_id_that_the_table_gives(billing, kind):
    """Rows that exist keep theirs, and the ledger names the row by it."""
    billing.add(event(), event(resource_id="gone", request_id="gone"))
    billing.rate()
    alter(billing, *ID_DEFAULTS[kind])
    billing.add(event("b", (7, 0, 0)), event(auth_id="x"), event(auth_id="y"))
    billing.execute("DELETE FROM billing_event WHERE request_id = 'gone'")
    counters = billing.rate().counters
    assert (counters.rows_inserted, counters.rows_changed, counters.reconciled_deletions) == (2, 1, 1)
    ids = {key[0]: str(row["id"]) for key, row in billing.billed().items()}
    assert uuid.UUID(ids["a"]) == uuid.UUID(row_id("a", "r", "b", TEN))
    given = {name: uuid.UUID(ids[name]) for name in "xy"}
    assert [one.version for one in given.values()] == [4, 4]
    assert ids["x"] != ids["y"]
    found = billing.query("SELECT auth_id, kind, usage_id FROM wxyc_assets.usage_change WHERE auth_id <> 'a'")
    assert {(row["auth_id"], row["kind"], row["usage_id"]) for row in found} == {
        (name, "insert", ids[name]) for name in "xy"
    }
    assert billing.rate().counters.rows_unchanged == 3


def test_a_uuid_without_a_default_is_derived_from_the_key(billing):
    alter(billing, UUID_ID)
    billing.add(event())
    billing.rate()
    ((_, row),) = billing.billed().items()
    assert row["id"] == uuid.UUID(row_id("a", "r", "b", TEN))
