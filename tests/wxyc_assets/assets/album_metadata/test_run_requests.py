"""Which albums a run asks LML about, with which names and headers, and how many at once."""

import threading
import time

from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, all_match, mixed, no_match, serve_lookups
from tests.wxyc_assets.assets.album_metadata.harness import counts
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays


def test_items_are_in_id_order_with_the_contracts_fields(albums):
    with serve_lookups(all_match) as lml:
        albums.run(lml.url, shards=[3], batch_size=4)
    calls = sorted([album_id_of(item) for item in call] for call in lml.asked)
    assert calls == [[3, 19, 35, 51], [67, 83, 99, 115], [131, 147]]
    assert all(list(body) == ["items"] for body in lml.bodies)
    named = {
        row[2]: row
        for row in albums.rows(
            "SELECT l.id, a.artist_name, l.album_title FROM library l JOIN artists a ON a.id = l.artist_id"
        )
    }
    for item in (item for call in lml.asked for item in call):
        _, artist, title = named[item["album"]]
        assert item == {"artist": artist, "album": title, "raw_message": f"{artist} - {title}"}


def test_each_call_has_its_budget_and_caller_in_its_headers(albums):
    with serve_lookups(all_match) as lml:
        albums.run(lml.url, shards=[3], budget_ms=12_345)
    for headers in lml.headers:
        assert headers["X-Caller-Budget-Ms"] == "12345"
        assert headers["X-Caller-Class"] == "5"
        assert headers["X-Caller-Reason"] == "album-level-backfill"
        assert headers["Authorization"] == "Bearer sandbox-key"


def test_names_are_decoded_and_the_stored_text_stays(albums):
    albums.execute("UPDATE library SET album_title = 'Rock &amp;amp; Roll ' || id WHERE id = 3")
    albums.execute(
        "UPDATE artists SET artist_name = 'Sigur R&oacute;s' WHERE id = (SELECT artist_id FROM library WHERE id = 3)"
    )
    with serve_lookups(lambda items: [no_match(place) for place in range(len(items))]) as lml:
        albums.run(lml.url, shards=[3])
    (item,) = [item for batch in lml.asked for item in batch if item["album"].startswith("Rock")]
    assert item == {
        "artist": "Sigur R\u00f3s", "album": "Rock &amp; Roll 3", "raw_message": "Sigur R\u00f3s - Rock &amp; Roll 3",
    }  # fmt: skip
    remembered = "SELECT artist_name, album_title FROM wxyc_assets.album_no_match WHERE album_id = 3"
    assert albums.rows(remembered) == [("Sigur R&oacute;s", "Rock &amp;amp; Roll 3")]
    with serve_lookups(all_match) as lml:
        assert albums.run(lml.url, shards=[3]).counters.deferred == 10


def test_no_budget_leaves_the_header_out(albums):
    with serve_lookups(all_match) as lml:
        albums.run(lml.url, shards=[3], budget_ms=0)
    assert all("X-Caller-Budget-Ms" not in headers for headers in lml.headers)
    assert all(headers["X-Caller-Class"] == "5" for headers in lml.headers)


def test_only_the_requested_shards_are_processed(albums):
    with serve_lookups(all_match) as lml:
        report = albums.run(lml.url, shards=[5, 3])
    assert {album_id_of(item) % 16 for call in lml.asked for item in call} == {3, 5}
    assert sorted(albums.credited) == [3, 5]
    assert report.counters.scanned == 20


def test_unavailable_albums_are_counted_and_not_requested(albums):
    albums.execute("UPDATE library SET discogs_unavailable = true WHERE id IN (3, 19, 4)")
    with serve_lookups(all_match) as lml:
        report = albums.run(lml.url, shards=[3, 4])
    assert counts(report, "scanned", "match", "skipped_unresolvable") == {
        "scanned": 20, "match": 17, "skipped_unresolvable": 3,
    }  # fmt: skip
    assert {3, 19, 4}.isdisjoint(album_id_of(item) for call in lml.asked for item in call)
    albums.assert_adds_up(report)


def test_shard_without_an_album_to_request_is_credited(albums):
    albums.execute("UPDATE library SET discogs_unavailable = true")
    with serve_lookups(all_match) as lml:
        report = albums.run(lml.url)
    assert (lml.asked, report.verdict, sorted(albums.credited)) == ([], "done", list(range(16)))
    assert report.counters == Counters(scanned=160, skipped_unresolvable=160)


def test_album_flagged_during_the_run_is_not_requested(albums):
    def flag_shard_4(items):
        if album_id_of(items[0]) == 3:
            albums.execute("UPDATE library SET discogs_unavailable = true WHERE id % 16 = 4")
            time.sleep(0.3)
        return all_match(items)

    with serve_lookups(flag_shard_4) as lml:
        report = albums.run(lml.url, shards=[3, 4], batch_size=1, discogs_rate=DiscogsRate(30, 1))
    assert report.counters.skipped_unresolvable >= 8
    assert report.counters.scanned == 20
    assert len(lml.asked) == 20 - report.counters.skipped_unresolvable
    albums.assert_adds_up(report)


def test_unknown_album_is_requested_again_after_its_retry_period(albums):
    with serve_lookups(mixed) as lml:
        albums.run(lml.url)
        lml.asked.clear()
        again = albums.run(lml.url)
        assert {album_id_of(item) % 10 for call in lml.asked for item in call} == set(range(1, 10))
        assert counts(again, "scanned", "no_match", "deferred", "lml_deferred") == {
            "scanned": 160, "no_match": 0, "deferred": 16, "lml_deferred": 0,
        }  # fmt: skip
        assert again.verdict == "done"
        albums.assert_adds_up(again)
        albums.execute("UPDATE wxyc_assets.album_no_match SET asked_at = now() - interval '31 days'")
        assert albums.run(lml.url).counters.no_match == 16


def test_eight_batches_are_in_flight_across_shards(empty_station):
    with empty_station.postgres.connect() as connection:
        generate_libraries(connection, 2400, first_id=1)
        generate_plays(connection, 4800)
    together = threading.Barrier(8)

    def wait_for_seven_others(items):
        together.wait(timeout=60)
        return all_match(items)

    with serve_lookups(wait_for_seven_others) as lml:
        report = empty_station.run(lml.url, discogs_rate=DiscogsRate(1e9, 1), batch_size=100)
    assert (report.counters.match, report.counters.batches) == (2400, 32)
