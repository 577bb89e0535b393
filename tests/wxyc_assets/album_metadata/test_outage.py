"""A run whose database goes away and stays away: what it says all the same, and what the next one makes of it."""

import time

from tests.outage import Outage
from tests.wxyc_assets.album_metadata.arbitrary_lml import mixed, serving
from wxyc_assets.album_metadata.counters import Counters


def test_a_run_whose_database_stays_away_fails_in_its_own_words_and_the_next_one_does_the_rest(played, server):
    outage = Outage(server.dsn("postgres"), played.postgres)

    def go_away_once(items):
        if len(lml.asked) == 20:
            while len(played.steps("batch_done")) < 5:
                time.sleep(0.005)
            outage.begin()
        return mixed(items)

    try:
        with serving(go_away_once) as lml:
            report = played.run(lml.url)
    finally:
        outage.end()
    assert (report.verdict, "not currently accepting connections" in report.reason) == ("failed", True)
    assert {line["step"] for line in played.lines[-2:]} == {"finished", "failed"}
    assert 25 <= played.steps("finished")[0]["scanned"] == report.counters.scanned < 160
    ((verdict, ended_at),) = played.rows("SELECT verdict, ended_at FROM wxyc_assets.run")
    assert (verdict, ended_at) == (None, None)  # to whoever looks, it is a run that died
    tallied = Counters.from_stored(played.tallied(report.request.run_id))
    assert tallied.scanned == tallied.accounted
    assert tallied.upserts == len(played.metadata())
    assert tallied.no_match == len(played.rows("SELECT FROM wxyc_assets.album_no_match"))
    with serving(mixed) as lml:
        again = played.run(lml.url)
    assert (again.verdict, again.counters.scanned) == ("done", 160)
    assert set(played.metadata()) == {one for one in range(1, 161) if one % 10 > 2}
