"""An album that LML refuses, or whose answer cannot be read, costs itself and no other album."""

import pytest

from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, serve_lookups
from wxyc_assets.assets.album_metadata import verdicts
from wxyc_assets.sandbox.lml.faults import Fault

SHARD = {"shards": [3]}  # ten albums


def quarantined(albums):
    return albums.rows("SELECT kind, failures, wait_until IS NOT NULL FROM wxyc_assets.quarantine")


@pytest.mark.parametrize("status", [400, 413, 422])
def test_album_that_lml_refuses_costs_itself_and_rests(albums, status):
    refused: dict[str, int] = {}

    def say(items):
        ids = [album_id_of(item) for item in items]
        poisoned = refused.setdefault("id", ids[0])
        if poisoned in ids:
            return status, {}
        return [{"index": index, "status": "no_match", "lookup": None} for index, _ in enumerate(ids)]

    with serve_lookups(say) as lml:
        report = albums.run(lml.url, **SHARD)
        assert report.verdict == "anomaly"
        counters = report.counters
        assert (counters.scanned, counters.accounted, counters.no_match) == (10, 10, 9)
        assert (counters.error, counters.lml_refused, counters.batch_error) == (1, 1, 0)
        assert quarantined(albums) == [("lml_refused", 1, False)]
        albums.assert_adds_up(report)
        for _ in range(2):
            assert albums.run(lml.url, **SHARD).counters.lml_refused == 1
        assert quarantined(albums) == [("lml_refused", 3, True)]
        assert albums.run(lml.url, **SHARD).counters.lml_refused == 0


def test_batch_that_is_refused_once_loses_no_album(albums, sandbox):
    sandbox.faults.arm(Fault(endpoint="lookup-bulk", kind="status", status=422))
    report = albums.run(sandbox.url, **SHARD)
    assert (report.counters.error, report.verdict) == (0, "done")
    albums.assert_adds_up(report)


@pytest.mark.parametrize("error", [OverflowError, RecursionError, UnicodeError, KeyError])
def test_any_error_while_an_answer_is_judged_costs_its_own_album(albums, sandbox, monkeypatch, error):
    judge = verdicts._classify_own
    poisoned: dict[str, int] = {}

    def fail(album, answer):
        if poisoned.setdefault("id", album.album_id) == album.album_id:
            raise error("poison")
        return judge(album, answer)

    monkeypatch.setattr(verdicts, "_classify_own", fail)
    report = albums.run(sandbox.url, **SHARD)
    assert (report.verdict, report.counters.error, report.counters.contract_violation) == ("anomaly", 1, 1)
    assert quarantined(albums) == [("contract_violation", 1, False)]
