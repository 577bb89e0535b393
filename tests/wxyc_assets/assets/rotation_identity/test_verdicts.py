import pytest

from resources.lml.models import ResolvedIdentity
from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.verdicts import Candidate, Outcome, classify, count_outcomes

ROW = Candidate(7, 249504)


def judged(identity_id=12, kind="release", minted=True):
    return classify(ROW, ResolvedIdentity(identity_id=identity_id, kind=kind, minted=minted))


@pytest.mark.parametrize("minted", [True, False])
@pytest.mark.parametrize("identity_id", [1, 2**31 - 1])
def test_any_identity_that_fits_the_column_is_accepted(identity_id, minted):
    assert judged(identity_id, minted=minted) == Outcome(ROW, "resolved", identity_id)


@pytest.mark.parametrize("identity_id", [0, -1, 2**31, 2**63, -(2**70)])
def test_an_impossible_identity_is_a_contract_violation(identity_id):
    outcome = judged(identity_id)
    assert (outcome.bucket, outcome.identity_id) == ("contract_violation", None)
    assert outcome.reason.startswith(f"breaks the contract: identity_id {identity_id}")


@pytest.mark.parametrize("kind", ["artist", "", "Release", "x" * 10_000, "\ud800"])
def test_an_identity_of_another_kind_is_a_contract_violation(kind):
    """The reason has a bounded length, however long the kind is."""
    outcome = judged(12, kind)
    assert (outcome.bucket, outcome.identity_id) == ("contract_violation", None)
    assert len(outcome.reason) <= 500


def test_different_violations_have_different_digests():
    digests = {judged(0).payload_digest, judged(-1).payload_digest, judged(12, "artist").payload_digest}
    assert {len(digest) for digest in digests} == {64}
    assert len(digests) == 3
    assert judged(0).payload_digest == judged(0).payload_digest


def test_every_row_is_counted_once():
    outcomes = [
        Outcome(ROW, "resolved", 1),
        Outcome(ROW, "resolved", 2),
        Outcome(ROW, "raced"),
        Outcome(ROW, "unresolved"),
    ]
    assert count_outcomes(outcomes) == Counters(scanned=4, resolved=2, raced=1, unresolved=1)
