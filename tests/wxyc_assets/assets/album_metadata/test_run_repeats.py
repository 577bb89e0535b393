"""Albums with the same artist and title: LML is asked once a run, and each album gets the answer."""

import pytest

from tests.wxyc_assets.assets.album_metadata.fake_lml import all_match, failed, no_match, serve_lookups
from tests.wxyc_assets.assets.album_metadata.harness import counts
from wxyc_assets.runs.discogs_rate import DiscogsRate

SAME = (3, 19, 51, 4, 20)
"""Two albums of one batch, one of a later batch, and two of another shard."""


@pytest.fixture
def repeats(albums):
    """The station's albums, of which five have one artist and spellings of one title."""
    artist = "(SELECT artist_id FROM library WHERE id = 3)"
    albums.execute(f"UPDATE library SET artist_id = {artist} WHERE id IN (3, 19, 51, 4, 20)")
    for album_id, title in zip(SAME, ("Same 3", "SAME: 3", "same  3!", "Same 3", "S&aacute;me 3"), strict=True):
        albums.execute(f"UPDATE library SET album_title = '{title}' WHERE id = {album_id}")
    return albums


def asked_titles(lml):
    return [item["album"] for call in lml.asked for item in call if "same" in item["album"].lower()]


@pytest.mark.parametrize("batch_size", [1, 2, 5, 100])
@pytest.mark.parametrize("per_minute", [30, 1e9])
def test_answer_is_shared_and_each_album_is_counted(repeats, batch_size, per_minute):
    with serve_lookups(all_match) as lml:
        report = repeats.run(lml.url, batch_size=batch_size, discogs_rate=DiscogsRate(per_minute, 1))
    assert asked_titles(lml) == ["Same 3"]
    assert counts(report, "scanned", "match", "upserts") == {"scanned": 160, "match": 160, "upserts": 160}
    releases = repeats.releases()
    assert {album_id: releases[album_id] for album_id in SAME} == dict.fromkeys(SAME, 3)
    assert {album_id: release for album_id, release in releases.items() if album_id not in SAME} == {
        album_id: album_id for album_id in range(1, 161) if album_id not in SAME
    }
    assert sorted(repeats.credited) == list(range(16))
    repeats.assert_adds_up(report)


def test_unknown_name_rests_for_each_album(repeats):
    with serve_lookups(lambda items: [no_match(place) for place in range(len(items))]) as lml:
        repeats.run(lml.url)
        assert len(repeats.rows("SELECT FROM wxyc_assets.album_no_match")) == 160
        lml.asked.clear()
        assert repeats.run(lml.url).counters.deferred == 160
    assert lml.asked == []


def test_error_is_that_of_each_album(repeats):
    with serve_lookups(lambda items: [failed(place) for place in range(len(items))]) as lml:
        report = repeats.run(lml.url)
    assert report.counters.error == 160
    assert sorted(line["album_id"] for line in repeats.steps("lml_error")) == list(range(1, 161))
    repeats.assert_adds_up(report)


def test_album_without_a_position_is_an_error(repeats):
    """Only the album that was asked about has an unexpected index, and only its shard is refused."""

    def shifted(items):
        return all_match(items) if all(item["album"] != "Same 3" for item in items) else [None] * len(items)

    with serve_lookups(shifted) as lml:
        report = repeats.run(lml.url, batch_size=1)
    assert counts(report, "unexpected_index", "error", "match") == {"unexpected_index": 1, "error": 4, "match": 155}
    assert repeats.rows("SELECT input_id, kind FROM wxyc_assets.quarantine") == [(3, "unexpected_index")]
    assert "asked together with album 3" in repeats.steps("lml_error")[0]["error_message"]
    repeats.assert_adds_up(report)


def test_failed_call_is_counted_for_each_album_that_shares_it(repeats):
    def fail_same(items):
        return (500, {}) if any(item["album"] == "Same 3" for item in items) else all_match(items)

    with serve_lookups(fail_same) as lml:
        report = repeats.run(lml.url, batch_size=1)
        assert counts(report, "error", "batch_error", "match") == {"error": 5, "batch_error": 5, "match": 155}
        assert asked_titles(lml) == ["Same 3"]
        assert len(repeats.steps("lml_batch_failed")) == 1
        assert repeats.run(lml.url, batch_size=1).counters.batch_error == 5
    assert asked_titles(lml) == ["Same 3", "Same 3"]


def test_dry_run_counts_calls_and_cost_of_one_question(repeats):
    with serve_lookups(all_match) as lml:
        dry = repeats.run(lml.url, dry_run=True, batch_size=1, discogs_rate=DiscogsRate(30, 2.5))
        report = dry.dry_run_report
        assert (report["would_ask"], report["batches"], report["calls"], report["discogs_calls"]) == (
            160,
            160,
            156,
            390,
        )
        assert repeats.run(lml.url, batch_size=1).counters.lml_total_calls == 156
