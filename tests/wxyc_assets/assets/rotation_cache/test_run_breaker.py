"""LML's own breaker: while it is open a run pauses before each refresh, and gives up after half an hour."""

from tests.run_harness import RecordedProgress
from tests.wxyc_assets.assets.rotation_cache.fake_lml import all_warmed, serve_refreshes, with_status
from tests.wxyc_assets.assets.rotation_cache.harness import counts
from wxyc_assets.assets.rotation_cache.plan import Batching

ONE_AT_A_TIME = Batching(10, 1)


# The deploy gate's probe is a refresh of no ids.


def health(state):
    return {"status": "healthy", "commit_sha": None, "discogs_breaker_state": state}


def test_run_pauses_until_the_breaker_is_closed(rotation):
    states = iter(["half_open", "closed"])
    rotation.progress = RecordedProgress()
    with serve_refreshes(all_warmed) as lml:
        lml.health = health("open")

        def next_state():
            assert not any(lml.asked)
            lml.health = health(next(states))

        rotation.on_sleep = next_state
        report = rotation.run(lml.url)
    assert (report.verdict, report.counters.warmed) == ("done", 60)
    assert rotation.slept == [30, 30]
    assert [line["breaker_state"] for line in rotation.steps("breaker_pause")] == ["open", "half_open"]
    assert rotation.progress.calls[1:3] == [("waits for LML's breaker to Discogs", 30)] * 2
    assert "is open: waiting 30 s" in rotation.notifications[0]


def test_run_gives_up_after_half_an_hour(rotation):
    """It fails and asks about nothing; the day is not credited, and no identity is judged."""
    with serve_refreshes(all_warmed) as lml:
        lml.health = health("open")
        report = rotation.run(lml.url)
    assert not any(lml.asked)
    assert sum(rotation.slept) == 1800
    assert (report.verdict, rotation.credited, report.counters.identities_scanned) == ("failed", [], 0)
    assert "LML's breaker to Discogs has been open for 30 minutes" in report.reason
    assert rotation.rows("SELECT FROM wxyc_assets.quarantine") == []
    assert rotation.rows("SELECT FROM wxyc_assets.tally WHERE complete") == []


def test_what_was_answered_before_the_breaker_opened_stays(rotation, monkeypatch):
    """The batches that were in flight are counted. What was not asked about is in the reason alone."""
    monkeypatch.setattr(
        "wxyc_assets.runs.breaker_watch.CLOSED_S", 0.0
    )  # a look before each batch, however fast they are
    with serve_refreshes(all_warmed) as lml:
        lml.health = health("closed")

        def opens_at_the_third(ids):
            if len(list(filter(None, lml.asked))) < 3:
                return all_warmed(ids)
            lml.health = health("open")
            return [with_status(one, "error") for one in ids]

        lml.say = opens_at_the_third
        report = rotation.run(lml.url, batching=ONE_AT_A_TIME)
    warmed = counts(report, "warmed", "not_found")
    assert warmed == {"warmed": 20, "not_found": 0}
    assert (report.verdict, rotation.credited) == ("failed", [])
    assert "LML's breaker to Discogs has been open for 30 minutes" in report.reason
    assert rotation.rows("SELECT FROM wxyc_assets.tally WHERE complete") == []
    assert rotation.steps("done")[0]["identities_scanned"] == report.counters.identities_scanned < 60
    rotation.assert_adds_up(report)


def test_a_dry_run_does_not_wait(rotation):
    with serve_refreshes(all_warmed) as lml:
        lml.health = health("open")
        assert rotation.run(lml.url, dry_run=True).verdict == "done"
    assert rotation.slept == []
