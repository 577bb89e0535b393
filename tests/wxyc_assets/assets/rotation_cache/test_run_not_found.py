"""Identities that LML does not know: their quarantine, and their share over the last day."""

from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.rotation_cache.fake_lml import all_warmed, mixed, serve_refreshes, warmed, with_status
from tests.wxyc_assets.assets.rotation_cache.harness import IDENTITIES


def test_unknown_identities_are_quarantined_without_a_rest(rotation):
    """Each run asks about them again, and releases those that LML knows by then."""
    with serve_refreshes(mixed) as lml:
        for _ in range(4):
            rotation.run(lml.url)
        assert rotation.stale == [(one, 4, False, False) for one in range(110, 170, 10)]
        others = {110: with_status(110, "not_implemented"), 120: with_status(120, "error")}
        lml.say = lambda ids: [others.get(one) or warmed(one) for one in ids]
        lml.asked.clear()
        rotation.run(lml.url)
    assert sorted(one for call in lml.asked for one in call) == IDENTITIES  # no identity rests
    over = {one: resolved for one, _, _, resolved in rotation.stale}
    assert over == {
        110: True,
        120: False,
        130: True,
        140: True,
        150: True,
        160: True,
    }  # an error is no statement about the identity


def test_the_not_found_rate_counts_all_runs_of_the_last_day(rotation):
    with serve_refreshes(mixed) as lml:
        first = rotation.run(lml.url)
        lml.say = all_warmed
        again = rotation.run(lml.url)
        rotation.execute("UPDATE wxyc_assets.tally SET updated_at = updated_at - interval '24 hours'")
        later = rotation.run(lml.url)
    (stale,) = [finding for finding in first.findings if finding.name == "not_found_rate"]
    assert stale.numbers["stale_identity_ids"] == list(range(110, 170, 10))
    assert (stale.numbers["numerator"], stale.numbers["denominator"]) == (6, 54)
    assert first.verdict == "anomaly"
    assert failed_checks(again) == {"not_found_rate"}  # 6 of 114, although no identity is unknown now
    assert (again.verdict, later.verdict, failed_checks(later)) == ("anomaly", "done", set())
    assert "6 of the 54" in stale.description
    assert [line["numerator"] for line in rotation.steps("not_found_rate")] == [6, 6]


def test_failed_batches_do_not_change_the_not_found_rate(rotation):
    with serve_refreshes(lambda ids: (500, {}) if 101 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url)
    (rate,) = [finding for finding in report.findings if finding.name == "not_found_rate"]
    assert rate.passed
    assert (rate.numbers["denominator"], rate.numbers["identities_scanned"]) == (50, 60)
