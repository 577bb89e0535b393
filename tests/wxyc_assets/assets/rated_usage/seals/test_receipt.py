"""An entry of the chain cannot be changed, removed or put in without a trace."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from wxyc_assets.assets.rated_usage.seals.receipt import Entry, SealedState, chain_problems, sealed_states

TEN = datetime(2026, 6, 8, 10, tzinfo=UTC)
STATE = SealedState(2, "0.500000000", "rows", 3, "events", "prices", "run")


def chain_of(*entries):
    chained, previous = [], ""
    for entry in entries:
        linked = replace(entry, previous=previous)
        chained.append(replace(linked, digest=linked.expected_digest()))
        previous = chained[-1].digest
    return chained


def seal(hours, **changes):
    return Entry(
        TEN + timedelta(hours=hours), "seal", "finance", TEN + timedelta(days=9), "", replace(STATE, **changes)
    )


def reopen(hours):
    return Entry(TEN + timedelta(hours=hours), "reopen", "finance", TEN + timedelta(days=10), "", reason="a credit")


CHAIN = chain_of(seal(0), seal(1), reopen(0), seal(0, cost="0.600000000"))


def test_whole_chain_has_no_problem():
    assert list(chain_problems(CHAIN)) == []
    assert list(chain_problems([])) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"hour": TEN + timedelta(hours=5)},
        {"kind": "reopen"},
        {"made_by": "another"},
        {"made_at": TEN + timedelta(microseconds=1)},
        {"reason": "none"},
        *(
            {"state": SealedState(**{**asdict(STATE), name: 7})}
            for name in ("row_count", "event_count", "accepted_rows")
        ),
        *(
            {"state": SealedState(**{**asdict(STATE), name: "other"})}
            for name in ("cost", "rows_digest", "events_digest", "price_digest", "rated_by", "accepted_cost")
        ),
    ],
    ids=str,
)
def test_changed_entry_is_named(changed):
    tampered = [replace(CHAIN[0], **changed), *CHAIN[1:]]
    (problem,) = chain_problems(tampered)
    assert "was changed" in problem


@pytest.mark.parametrize("removed", [0, 1, 2])
def test_removed_entry_is_noticed(removed):
    (problem,) = chain_problems(CHAIN[:removed] + CHAIN[removed + 1 :])
    assert "removed or put in" in problem


def test_recomputed_digest_breaks_the_next_link():
    forged = replace(CHAIN[1], state=replace(STATE, cost="9.000000000"))
    forged = replace(forged, digest=forged.expected_digest())
    (problem,) = chain_problems([CHAIN[0], forged, *CHAIN[2:]])
    assert problem.startswith("2026-06-08-10:00")


def test_last_entry_about_an_hour_holds():
    assert sealed_states(CHAIN)[TEN].cost == "0.600000000"
    assert set(sealed_states(CHAIN[:3])) == {TEN + timedelta(hours=1)}
