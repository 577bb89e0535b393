"""Usage that no rating has seen: found, named, billed or accepted, and never silent."""

import random
from collections import Counter
from datetime import datetime, timedelta

import pytest

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.unbilled.search import (
    accept_unbilled,
    estimate_costs,
    find_unbilled,
    search_window,
)
from wxyc_assets.runs.partitions import hour_key, hour_start

NOON_NEXT_DAY = TEN + 26 * HOUR
"""With one trailing hour, TEN is long outside of the trailing hours."""


@pytest.fixture
def search(billing):
    """Search as a run at noon of the next day does; returns events by bucket."""

    def run(now=NOON_NEXT_DAY, trailing=1, first=TEN - 24 * HOUR):
        with billing.postgres.connect() as connection:
            found = find_unbilled(connection, search_window(now, trailing, first))
        return {each.bucket: each.events for each in found}

    return run


def at(hour, *, stored=None, **columns):
    """An event of an hour, stored ten minutes into it unless said otherwise."""
    instant = hour + timedelta(minutes=10)
    return event(event_ts=instant, created_at=stored or instant, **columns)


def test_everything_rated_is_nothing_unbilled(billing, search):
    billing.add(at(TEN), at(TEN + HOUR))
    billing.rate(TEN)
    billing.rate(TEN + HOUR)
    assert search() == {}


def test_late_event_is_named_until_it_is_billed(billing, search):
    billing.add(at(TEN), at(TEN))
    billing.rate(TEN)
    assert search() == {}
    billing.add(at(TEN, stored=NOON_NEXT_DAY))
    assert search() == {hour_key(TEN): 1}
    assert search(NOON_NEXT_DAY + 5 * HOUR) == {hour_key(TEN): 1}
    billing.rate(TEN)
    assert search() == {}


def test_late_event_beside_a_deleted_one_is_named(billing, search):
    billing.add(at(TEN, request_id="gone"), at(TEN))
    billing.rate(TEN)
    billing.execute("DELETE FROM billing_event WHERE request_id = 'gone'")
    billing.add(at(TEN, stored=NOON_NEXT_DAY))
    assert search() == {hour_key(TEN): 1}


def test_event_that_was_not_visible_to_the_rating_is_named(billing, search):
    """It becomes visible with a ``created_at`` before those that were rated."""
    billing.add(at(TEN, stored=TEN + timedelta(minutes=50)))
    billing.rate(TEN)
    billing.add(at(TEN, stored=TEN + timedelta(minutes=20)))
    assert search() == {hour_key(TEN): 1}


def test_event_that_was_not_visible_to_the_last_search_is_named(billing, search):
    """Its transaction was open for most of an hour: its ``created_at`` is before the newest that the search saw."""
    billing.add(at(TEN), at(TEN + HOUR))
    billing.rate(TEN)
    billing.rate(TEN + HOUR)
    assert search() == {}
    billing.add(at(TEN, stored=TEN + timedelta(minutes=20)))
    assert search() == {hour_key(TEN): 1}


def test_unrated_hour_is_named_once_it_is_no_trailing_hour(billing, search):
    billing.add(at(TEN), at(TEN + HOUR), at(TEN + 2 * HOUR))
    billing.rate(TEN + HOUR)
    assert search(TEN + 4 * HOUR, trailing=24) == {}
    assert search(TEN + 26 * HOUR, trailing=24) == {hour_key(TEN): 1}
    assert search(TEN + 36 * HOUR, trailing=24) == {hour_key(TEN): 1, hour_key(TEN + 2 * HOUR): 1}


def test_hour_of_the_predecessor_counts_as_seen(billing, search):
    billing.add(at(TEN))
    billing.rate(TEN)
    billing.execute("DELETE FROM wxyc_assets.rated_hour")
    billing.execute("UPDATE rated_usage SET rated_at = %s", [TEN + 2 * HOUR])
    assert search() == {}
    billing.add(at(TEN, stored=TEN + 3 * HOUR))
    billing.execute("UPDATE wxyc_assets.unbilled_watch SET looked_until = NULL")
    assert search() == {hour_key(TEN): 1}


def test_accepted_events_are_named_no_more_and_later_ones_are(billing, search):
    billing.add(at(TEN))
    assert search() == {hour_key(TEN): 1}
    with billing.postgres.connect() as connection:
        assert accept_unbilled(connection, [hour_key(TEN)], reason="a test", accepted_by="finance") == [hour_key(TEN)]
    assert search() == {}
    billing.add(at(TEN, stored=NOON_NEXT_DAY), at(TEN, stored=NOON_NEXT_DAY))
    assert search() == {hour_key(TEN): 2}
    (kept,) = billing.query("SELECT bucket, events, reason, accepted_by FROM wxyc_assets.accepted_usage")
    assert kept == {"bucket": hour_key(TEN), "events": 1, "reason": "a test", "accepted_by": "finance"}


@pytest.mark.parametrize(
    ("instant", "bucket"),
    [("-infinity", "before"), ("1970-01-01", "before"), ("infinity", "future"), ("9999-01-01", "future")],
)
def test_impossible_times_are_counted_in_a_bucket_of_their_own(billing, search, instant, bucket):
    billing.add(event(event_ts=instant, created_at=TEN))
    assert search() == {bucket: 1}
    with billing.postgres.connect() as connection:
        accept_unbilled(connection, [bucket], reason="no clock", accepted_by="finance")
    assert search() == {}
    billing.add(event(event_ts=instant, created_at=TEN + HOUR))
    assert search() == {bucket: 1}


def test_events_before_billing_began_are_not_ours(billing, search):
    billing.add(at(TEN))
    assert search(first=TEN + HOUR) == {}


def test_event_stored_in_the_future_does_not_end_the_search(billing, search):
    billing.add(event(event_ts=TEN, created_at="infinity"))
    billing.rate(TEN)
    assert search() == {}
    billing.add(at(TEN + HOUR, stored=NOON_NEXT_DAY))
    assert search() == {hour_key(TEN + HOUR): 1}


def test_cost_is_estimated_by_the_rating_itself(billing):
    billing.add(at(TEN))
    billing.rate(TEN)
    billing.add(at(TEN, stored=NOON_NEXT_DAY), at(TEN + HOUR, model="unknown", stored=NOON_NEXT_DAY))
    before = billing.stored_exactly()
    with billing.postgres.connect() as connection:
        found = find_unbilled(connection, search_window(NOON_NEXT_DAY, 1, TEN))
        cause = store.Cause("run", "explicit", billing.book)
        known = estimate_costs(connection, found, lambda hour: store.cost_of(billing.postgres, hour, cause))
    assert [(each.bucket, str(each.estimated_cost)) for each in known] == [
        (hour_key(TEN), "0.000500000"),
        (hour_key(TEN + HOUR), "0.000000000"),
    ]
    assert billing.stored_exactly() == before


def test_routine_run_fails_its_check_and_an_explicit_one_warns(billing):
    billing.now = NOON_NEXT_DAY
    billing.add(at(TEN))
    found = {}
    for origin in ("routine", "explicit"):
        report = billing.run(NOON_NEXT_DAY - HOUR, origin=origin, billing_start=TEN)
        (finding,) = (each for each in report.findings if each.name == "unrated_events")
        found[origin] = (finding.passed, finding.severity, report.verdict)
    assert found == {"routine": (False, "ERROR", "anomaly"), "explicit": (False, "WARN", "done")}
    assert hour_key(TEN) in finding.description
    assert finding.numbers["estimated_cost"] == "0.000500000"


@pytest.mark.parametrize("seed", range(8))
def test_random_histories_leave_no_event_unbilled_in_silence(billing, search, seed):
    """The oracle keeps which events each rating and acceptance saw; every other one is named in its hour."""
    draw = random.Random(seed)
    hours = [TEN + place * HOUR for place in range(4)]
    stored_at = TEN
    alive: dict[str, datetime] = {}
    seen: set[str] = set()
    for _ in range(40):
        stored_at += timedelta(minutes=draw.randint(1, 20))
        hour = draw.choice(hours)
        match draw.random():
            case share if share < 0.5:
                name = f"{seed}-{len(alive)}-{stored_at.isoformat()}"
                billing.add(at(hour, request_id=name, stored=stored_at))
                alive[name] = hour
            case share if share < 0.6 and alive:
                gone = draw.choice(sorted(alive))
                billing.execute("DELETE FROM billing_event WHERE request_id = %s", [gone])
                del alive[gone]
            case share if share < 0.8:
                billing.rate(hour)
                seen |= {name for name, of in alive.items() if of == hour}
            case share if share < 0.9:
                named = [bucket for bucket in search() if bucket == hour_key(hour)]
                with billing.postgres.connect() as connection:
                    accept_unbilled(connection, named, reason="drawn", accepted_by="oracle")
                seen |= {name for name, of in alive.items() if hour_key(of) in named}
            case _:
                expected = Counter(hour_key(of) for name, of in alive.items() if name not in seen)
                assert search() == dict(expected)
    assert search() == dict(Counter(hour_key(of) for name, of in alive.items() if name not in seen))
    assert all(hour_start(bucket) in hours for bucket in search())
