"""Hours that are rated, and their seals."""

from datetime import timedelta

import pytest

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from wxyc_assets.assets.rated_usage.seals import sealing
from wxyc_assets.assets.rated_usage.seals.verification import in_words, read_chain, verify
from wxyc_assets.assets.rated_usage.unbilled.search import accept_unbilled, find_unbilled, search_window

NEXT_WEEK = TEN + timedelta(days=7)


class Seals:
    """Seals of a station at an instant a week after its usage."""

    def __init__(self, billing):
        self.billing = billing
        self.postgres = billing.postgres
        self.search = search_window(NEXT_WEEK, 24, TEN)

    def rate(self, hours=3, models=("b",), customers=("a", "c")):
        """Add an event of each customer and model to each hour, and rate them in a run."""
        self.billing.add(
            *(
                event(
                    model, (100, 30, 50), auth_id=customer, event_ts=TEN + place * HOUR, created_at=TEN + place * HOUR
                )
                for place in range(hours)
                for model in models
                for customer in customers
            )
        )
        self.billing.run(hours=hours)

    def seal(self, hours=3, *, dry_run=False):
        request = sealing.SealRequest(TEN + hours * HOUR, self.search, "finance", dry_run)
        with self.postgres.connect() as connection:
            found = sealing.hours_to_seal(connection, request)
        return list(sealing.seal(self.postgres, found, request))

    def reopen(self, *hours, reason="a credit"):
        return sealing.reopen(self.postgres, hours, made_by="finance", reason=reason)

    def accept(self, *keys):
        with self.postgres.connect() as connection, connection.transaction():
            find_unbilled(connection, self.search)
            return accept_unbilled(connection, keys, reason="a test", accepted_by="finance")

    def verify(self, hours=3):
        """Return what is wrong, in words, and the problems of the chain."""
        chain = read_chain(self.postgres)
        results = verify(self.postgres, [TEN + place * HOUR for place in range(hours)], chain.states)
        ordered = sorted(results, key=lambda result: result.hour)
        return in_words(result for result in ordered if result.problems), list(chain.problems)


@pytest.fixture
def seals(billing):
    return Seals(billing)
