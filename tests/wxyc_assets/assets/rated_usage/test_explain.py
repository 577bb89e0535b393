from datetime import timedelta

from tests.wxyc_assets.rated_usage.billing import HOUR, TEN, event
from tests.wxyc_assets.rated_usage.oracle import Prices
from wxyc_assets.rated_usage.story import tell


def story_of(billing, auth_id="a", hour=TEN):
    with billing.postgres.connect() as connection:
        return tell(connection, auth_id, hour)


def test_the_story_has_the_rows_their_sum_the_events_and_every_change_with_its_cause(billing):
    billing.add(event("b", (100, 30, 50)), event("b", auth_id="somebody-else"), event("b", event_ts=TEN + HOUR))
    billing.run(run_id="first", origin="routine")
    first_digest = billing.book.digest
    billing.prices = Prices({"b": ("0.00001", "0.0000005", "0.00002")})
    billing.add(event("nobody-knows-it", (5, 0, 0), base_model="b"))
    billing.run(run_id="second")
    billing.run(run_id="third")
    story = story_of(billing)
    printed = story.printed()
    assert (printed["hour"], printed["total_cost"]) == ("2026-06-08-10:00", "0.001715000")
    (row,) = printed["rows"]
    assert (row["cost"], row["prompt_rate"], row["adds_up"], row["event_count"]) == (
        "0.001715000",
        "0.000010000",
        True,
        1,
    )
    assert [(group["model"], group["events"]) for group in printed["events"]] == [("b", 1), ("nobody-knows-it", 1)]
    changes = [
        (c["kind"], c["cost_before"], c["cost_after"], c["moved"], c["run_id"], c["origin"]) for c in printed["changes"]
    ]
    assert changes == [
        ("insert", None, "0.001365000", "0.001365000", "first", "routine"),
        ("change", "0.001365000", "0.001715000", "0.000350000", "second", "explicit"),
    ]
    assert [c["price_digest"] for c in printed["changes"]] == [first_digest, billing.book.digest]
    assert [(r["run_id"], r["origin"]) for r in printed["ratings"]] == [
        ("first", "routine"), ("second", "explicit"), ("third", "explicit"),
    ]  # fmt: skip
    told = "\n".join(story.told())
    assert "a is billed 0.001715000 USD for [2026-06-08T10:00:00Z,2026-06-08T11:00:00Z)" in told
    assert "70 x 0.000010000 + 30 cached x 0.000000500 + 50 completion x 0.000020000 = 0.001715000 USD" in told
    assert "changed from 0.001365000 to 0.001715000 USD (at other rates), by explicit run second" in told
    assert "not billed: 1 events of nobody-knows-it with base b on r" in told
    assert "rated 3 times, last by run third" in told


def test_a_row_that_somebody_wrote_by_hand_and_that_does_not_add_up_is_called_so(billing):
    billing.add(event())
    billing.run()
    billing.execute("UPDATE rated_usage SET cost = 77")
    story = story_of(billing)
    assert not story.rows[0]["adds_up"]
    assert "IS NOT 77.000000000 USD" in "\n".join(story.told())


def test_what_was_deleted_is_still_told(billing):
    billing.add(event())
    billing.run()
    billing.execute("DELETE FROM billing_event")
    billing.run()
    story = story_of(billing)
    assert (story.rows, str(story.total_cost)) == ([], "0.000000000")
    assert "deleted at 0.000500000 USD" in "\n".join(story.told())


def test_a_customer_or_an_hour_that_nobody_knows_has_an_empty_story(billing):
    billing.add(event())
    billing.run()
    assert "used nothing" in story_of(billing, "nobody").told()[0]
    assert "used nothing" in story_of(billing, hour=TEN + timedelta(hours=5)).told()[0]


def test_events_that_wait_for_a_run_are_told_as_not_billed(billing):
    billing.add(event())
    told = story_of(billing).told()
    assert told[-2:] == ["  not billed: 1 events of b on r", "no run has rated this hour"]
