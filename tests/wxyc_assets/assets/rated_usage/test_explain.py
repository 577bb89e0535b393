"""``explain``: what a customer is billed for an hour, and why."""

from datetime import timedelta

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.assets.rated_usage.explain import explain


def explanation_of(billing, auth_id="a", hour=TEN):
    with billing.postgres.connect() as connection:
        return explain(connection, auth_id, hour)


def test_explanation_has_rows_events_and_every_change_with_cause(billing):
    billing.add(event("b", (100, 30, 50)), event("b", auth_id="other-customer"), event("b", event_ts=TEN + HOUR))
    billing.run(run_id="first", origin="routine")
    first_digest = billing.book.digest
    billing.prices = Prices({"b": ("0.00001", "0.0000005", "0.00002")})
    billing.add(event("unpriced-model", (5, 0, 0), base_model="b"))
    billing.run(run_id="second")
    billing.run(run_id="third")
    explanation = explanation_of(billing)
    found = explanation.as_json()
    assert (found["hour"], found["total_cost"]) == ("2026-06-08-10:00", "0.001715000")
    (row,) = found["rows"]
    assert (row["cost"], row["prompt_rate"], row["adds_up"], row["event_count"]) == (
        "0.001715000",
        "0.000010000",
        True,
        1,
    )
    assert [(group["model"], group["events"]) for group in found["events"]] == [("b", 1), ("unpriced-model", 1)]
    changes = [
        (c["kind"], c["cost_before"], c["cost_after"], c["moved"], c["run_id"], c["origin"]) for c in found["changes"]
    ]
    assert changes == [
        ("insert", None, "0.001365000", "0.001365000", "first", "routine"),
        ("change", "0.001365000", "0.001715000", "0.000350000", "second", "explicit"),
    ]
    assert [c["price_digest"] for c in found["changes"]] == [first_digest, billing.book.digest]
    assert [(r["run_id"], r["origin"]) for r in found["ratings"]] == [
        ("first", "routine"), ("second", "explicit"), ("third", "explicit"),
    ]  # fmt: skip
    text = "\n".join(explanation.lines())
    assert "a is billed 0.001715000 USD for [2026-06-08T10:00:00Z,2026-06-08T11:00:00Z)" in text
    assert "70 x 0.000010000 + 30 cached x 0.000000500 + 50 completion x 0.000020000 = 0.001715000 USD" in text
    assert "changed from 0.001365000 to 0.001715000 USD (at other rates), by explicit run second" in text
    assert "not billed: 1 events of unpriced-model with base b on r" in text
    assert "rated 3 times, last by run third" in text


def test_explanation_says_when_a_row_does_not_add_up(billing):
    billing.add(event())
    billing.run()
    billing.execute("UPDATE rated_usage SET cost = 77")
    explanation = explanation_of(billing)
    assert not explanation.rows[0]["adds_up"]
    assert "IS NOT 77.000000000 USD" in "\n".join(explanation.lines())


def test_explanation_still_lists_deleted_rows(billing):
    billing.add(event())
    billing.run()
    billing.execute("DELETE FROM billing_event")
    billing.run()
    explanation = explanation_of(billing)
    assert (explanation.rows, str(explanation.total_cost)) == ([], "0.000000000")
    assert "deleted at 0.000500000 USD" in "\n".join(explanation.lines())


def test_unknown_customer_or_hour_has_an_empty_explanation(billing):
    billing.add(event())
    billing.run()
    assert "used nothing" in explanation_of(billing, "unknown").lines()[0]
    assert "used nothing" in explanation_of(billing, hour=TEN + timedelta(hours=5)).lines()[0]


def test_events_before_their_run_are_listed_as_not_billed(billing):
    billing.add(event())
    lines = explanation_of(billing).lines()
    assert lines[-2:] == ["  not billed: 1 events of b on r", "no run has rated this hour"]


def test_explanation_names_organisations_and_their_change(billing):
    for table in ("billing_event", "rated_usage"):
        billing.execute(f"ALTER TABLE {table} ADD COLUMN org_id varchar(64)")
    billing.add(event(), event("unlisted", org_id="org-2"))
    billing.run()
    billing.execute("UPDATE billing_event SET org_id = 'org-1' WHERE model = 'b'")
    billing.run()
    explanation = explanation_of(billing)
    found = explanation.as_json()
    assert [row["org_id"] for row in found["rows"]] == ["org-1"]
    assert [(group["model"], group["org_id"]) for group in found["events"]] == [("b", "org-1"), ("unlisted", "org-2")]
    assert [(change["org_before"], change["org_after"]) for change in found["changes"]] == [
        (None, None),
        (None, "org-1"),
    ]
    text = "\n".join(explanation.lines())
    assert "b on r of org-1, 1 events" in text
    assert "not billed: 1 events of unlisted on r of org-2" in text
    assert "changed from 0.000500000 to 0.000500000 USD, organisation none to org-1, by explicit run" in text
