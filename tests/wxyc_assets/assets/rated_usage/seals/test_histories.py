"""Random histories of usage, prices, runs, acceptances, seals and re-openings, compared with an oracle."""

import random
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from tests.wxyc_assets.assets.rated_usage.histories import random_prices
from wxyc_assets.assets.rated_usage.seals.sealing import SealError
from wxyc_assets.assets.rated_usage.seals.verification import read_chain, verify
from wxyc_assets.assets.rated_usage.unbilled.search import find_unbilled
from wxyc_assets.runs.partitions import hour_key

HOURS = [TEN + place * HOUR for place in range(4)]


class Oracle:
    """What happened to the hours: which events exist, which a rating or an operator saw, and what seals cover."""

    def __init__(self, seals, seed):
        self.seals, self.billing = seals, seals.billing
        self.draw = random.Random(seed)
        self.now = TEN
        self.events: dict[str, datetime] = {}
        self.seen: set[str] = set()
        self.sealed: dict[datetime, tuple[set[str], list[str]]] = {}

    def of(self, hour: datetime) -> set[str]:
        return {name for name, belongs_to in self.events.items() if belongs_to == hour}

    def rows(self, hour: datetime) -> list[str]:
        query = "SELECT ctid || ' ' || u::text AS row FROM rated_usage u WHERE window_start = %s ORDER BY 1"
        return [row["row"] for row in self.billing.query(query, [hour])]

    def usage_arrives(self, hour: datetime) -> None:
        self.now += timedelta(minutes=self.draw.randint(1, 20))
        name = f"{len(self.seen)}-{self.now.isoformat()}"
        tokens = (self.draw.randrange(500), self.draw.randrange(200), self.draw.randrange(300))
        customer = self.draw.choice("ac")
        self.billing.add(
            event("b", tokens, request_id=name, auth_id=customer, event_ts=hour + HOUR / 2, created_at=self.now)
        )
        self.events[name] = hour

    def usage_vanishes(self, hour: datetime) -> None:
        for name in self.draw.sample(sorted(self.of(hour)), min(1, len(self.of(hour)))):
            self.billing.execute("DELETE FROM billing_event WHERE request_id = %s", [name])
            del self.events[name]

    def prices_change(self, _hour: datetime) -> None:
        self.billing.prices = random_prices(self.draw)

    def run(self, hour: datetime) -> None:
        count = self.draw.randint(1, len(HOURS))
        self.billing.run(hour, count, origin=self.draw.choice(["routine", "explicit"]))
        for rated in (hour + place * HOUR for place in range(count)):
            if rated not in self.sealed:
                self.seen |= self.of(rated)

    def operator_accepts(self, hour: datetime) -> None:
        self.seals.accept(hour_key(hour))
        self.seen |= self.of(hour)

    def operator_seals(self, _hour: datetime) -> None:
        with suppress(SealError):
            self.seals.seal(self.draw.randint(1, len(HOURS)))
        for hour in read_chain(self.seals.postgres).states.keys() - self.sealed.keys():
            assert self.of(hour) <= self.seen, "usage that no rating has seen was sealed"
            self.sealed[hour] = (self.of(hour), self.rows(hour))

    def operator_reopens(self, hour: datetime) -> None:
        if hour in self.sealed:
            self.seals.reopen(hour)
            del self.sealed[hour]

    def compare(self) -> None:
        chain = read_chain(self.seals.postgres)
        assert (chain.problems, chain.states.keys()) == ([], self.sealed.keys())
        found = {result.hour: result for result in verify(self.seals.postgres, HOURS, chain.states)}
        for hour, (events, rows) in self.sealed.items():
            assert self.rows(hour) == rows, "a sealed bill was rewritten"
            assert bool(found[hour].problems) == (self.of(hour) != events), found[hour]
        with self.seals.postgres.connect() as connection:
            named = {each.bucket: each.events for each in find_unbilled(connection, self.seals.search)}
        unseen = {hour_key(hour): len(self.of(hour) - self.seen) for hour in HOURS}
        assert named == {bucket: count for bucket, count in unseen.items() if count}


USAGE = (Oracle.usage_arrives, Oracle.usage_arrives, Oracle.usage_vanishes, Oracle.prices_change)
WORK = (
    Oracle.run,
    Oracle.run,
    Oracle.operator_accepts,
    Oracle.operator_seals,
    Oracle.operator_seals,
    Oracle.operator_reopens,
)


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_keep_sealed_bills_and_name_the_rest(seals, seed):
    """No sealed bill changes, verification finds exactly the hours whose events did, and no usage is unbilled in silence."""
    oracle = Oracle(seals, seed)
    for _ in range(12):
        for step in (*oracle.draw.choices(USAGE, k=2), oracle.draw.choice(WORK)):
            step(oracle, oracle.draw.choice(HOURS))
        oracle.compare()
    for hour in HOURS:
        oracle.operator_reopens(hour)
    seals.billing.run(TEN, len(HOURS))
    oracle.seen |= oracle.events.keys()
    assert len(seals.seal(len(HOURS))) == len(HOURS)
    assert seals.verify(len(HOURS)) == ([], [])
