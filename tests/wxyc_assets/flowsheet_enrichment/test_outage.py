"""A pass whose database goes away and stays away: what it says all the same, and what the next one makes of it."""

import io

import pytest

from tests.outage import Outage
from tests.wxyc_assets.flowsheet_enrichment.passes import Passes
from wxyc_assets.progress import Silent


def test_a_pass_whose_database_stays_away_fails_in_its_own_words_and_the_next_one_does_the_rest(played, server):
    outage = Outage(server.dsn("postgres"), played.postgres)

    class GoAway(Silent):
        def advance(self, _count):
            if len(played.steps("chunk_done")) == 3:
                outage.begin()

    played.progress, played.chunk_plays = GoAway(), 50
    try:
        report = played.run()
    finally:
        outage.end()
    assert report.verdict == "failed"
    assert (report.counters.scanned, report.counters.flipped) == (150, 150)
    assert [line["step"] for line in played.lines[-2:]] == ["finished", "failed"]
    assert played.credited == []
    assert played.rows("SELECT verdict, ended_at FROM wxyc_assets.run") == [(None, None)]
    assert played.rows("SELECT sum((counters->>'flipped')::int) FROM wxyc_assets.tally") == [(150,)]
    again = Passes(played.postgres).run()
    assert (again.verdict, again.counters.flipped, played.waiting()) == ("done", 330, set())


@pytest.mark.parametrize("last_words", ["chunk_done", "post_pass_update_done"])
def test_a_database_that_goes_away_behind_the_last_chunk_leaves_nothing_undone_but_the_run_failed(
    played, server, last_words
):
    outage = Outage(server.dsn("postgres"), played.postgres)

    class GoAway(io.StringIO):
        def write(self, text):
            if f'"step":"{last_words}"' in text:
                outage.begin()
            return super().write(text)

    played.stream = GoAway()
    try:
        report = played.run()
    finally:
        outage.end()
    assert (report.verdict, "database: " in report.reason) == ("failed", True)
    assert report.counters.flipped == 480
    assert played.waiting() == set()
    again = Passes(played.postgres)
    assert (again.run().verdict, len(again.credited)) == ("done", 16)
