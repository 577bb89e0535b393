"""A whole run, over real HTTP into a real database: what it writes, counts, says and leaves behind, whatever happens."""

import json
import random
import signal
import threading
import time
import uuid
from dataclasses import replace

import pytest

from resources.lml.models import BulkLookupAnswer
from resources.postgres import Postgres
from tests.sentry_watch import watched_sentry
from tests.station_runs import Told, child, interrupt_while_lml_hangs
from tests.wxyc_assets.album_metadata.arbitrary_lml import (
    all_match,
    failed,
    match,
    mixed,
    no_match,
    number,
    serving,
)
from tests.wxyc_assets.album_metadata.runs import Runs, request
from wxyc_assets import single_flight
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.run import run
from wxyc_assets.pace import Pace
from wxyc_assets.revision import MigrationError
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.faults import Fault
from wxyc_assets.sandbox.lml.server import SandboxLml

LOOKUP = "lookup-bulk"
A_RUN = "tests.wxyc_assets.album_metadata.a_run"
TOTALS = ("scanned", "match", "no_match", "error", "unexpected_index", "skipped_unresolvable", "deferred")


def failing(report):
    return {finding.name for finding in report.findings if not finding.passed}


def counts(report, *names):
    return {name: getattr(report.counters, name) for name in names}


def releases(runs):
    """Which album was given whose release."""
    rows = runs.rows("SELECT album_id, discogs_url FROM album_metadata ORDER BY 1")
    return {album_id: int(url.rpartition("/")[2]) for album_id, url in rows}


def adds_up(runs, report):
    """Every album once, as the report, the ledger and the contract's sum have it."""
    totals = report.counters.totals()
    assert totals["scanned"] == sum(totals[name] for name in TOTALS[1:])
    assert runs.tallied(report.request.run_id) == report.counters.stored()
    assert "accounting_holds" not in failing(report)


# What a run writes and counts


def test_every_pending_album_is_asked_about_once_and_gets_its_own_row(played):
    with serving(mixed) as lml:
        report = played.run(lml.url)
    assert sorted(number(item) for call in lml.asked for item in call) == list(range(1, 161))
    assert releases(played) == {one: one for one in range(1, 161) if one % 10 > 2}
    assert counts(report, *TOTALS) == {
        "scanned": 160, "match": 128, "no_match": 16, "error": 16,
        "unexpected_index": 0, "skipped_unresolvable": 0, "deferred": 0,
    }  # fmt: skip
    assert counts(report, "upserts", "match_without_artwork", "batches") == {
        "upserts": 112, "match_without_artwork": 16, "batches": 32,
    }  # fmt: skip
    adds_up(played, report)
    assert (report.verdict, report.reason) == ("done", "")
    assert failing(report) == {"error_rate_healthy"}  # 10 %, which only tells
    assert sorted(played.credited) == list(range(16))
    assert played.rows("SELECT asset, origin, verdict, reason FROM wxyc_assets.run") == [
        ("album_metadata", "explicit", "done", None)
    ]
    assert played.rows("SELECT DISTINCT complete FROM wxyc_assets.tally") == [(True,)]


def test_the_flowsheet_is_left_to_its_own_pass(played):
    before = played.rows("SELECT f::text FROM flowsheet f ORDER BY id")
    with serving(all_match) as lml:
        played.run(lml.url)
    assert played.rows("SELECT f::text FROM flowsheet f ORDER BY id") == before


def test_items_are_in_the_order_of_ids_and_say_what_the_contract_says_and_no_more(played):
    with serving(all_match) as lml:
        played.run(lml.url, shards=[3], batch_size=4)
    assert [[number(item) for item in call] for call in sorted(lml.asked, key=lambda call: number(call[0]))] == [
        [3, 19, 35, 51],
        [67, 83, 99, 115],
        [131, 147],
    ]
    assert all(list(body) == ["items"] for body in lml.bodies)
    named = {
        row[2]: row
        for row in played.rows(
            "SELECT l.id, a.artist_name, l.album_title FROM library l JOIN artists a ON a.id = l.artist_id"
        )
    }
    for item in (item for call in lml.asked for item in call):
        _, artist, title = named[item["album"]]
        assert item == {"artist": artist, "album": title, "raw_message": f"{artist} - {title}"}


def test_each_call_carries_its_budget_and_its_caller(played):
    with serving(all_match) as lml:
        played.run(lml.url, shards=[3], budget_ms=12_345)
    for headers in lml.headers:
        assert headers["X-Caller-Budget-Ms"] == "12345"
        assert headers["X-Caller-Class"] == "5"
        assert headers["X-Caller-Reason"] == "album-level-backfill"
        assert headers["Authorization"] == "Bearer sandbox-key"


def test_only_the_shards_of_the_request_are_touched(played):
    with serving(all_match) as lml:
        report = played.run(lml.url, shards=[5, 3])
    assert {number(item) % 16 for call in lml.asked for item in call} == {3, 5}
    assert sorted(played.credited) == [3, 5]
    assert report.counters.scanned == 20


def test_what_cannot_be_asked_about_is_counted_and_not_sent(played):
    played.execute("UPDATE library SET discogs_unavailable = true WHERE id IN (3, 19, 4)")
    with serving(all_match) as lml:
        report = played.run(lml.url, shards=[3, 4])
    assert counts(report, "scanned", "match", "skipped_unresolvable") == {
        "scanned": 20, "match": 17, "skipped_unresolvable": 3,
    }  # fmt: skip
    assert {3, 19, 4}.isdisjoint(number(item) for call in lml.asked for item in call)
    adds_up(played, report)


def test_a_shard_with_nothing_to_ask_about_is_credited_without_a_call(played):
    played.execute("UPDATE library SET discogs_unavailable = true")
    with serving(all_match) as lml:
        report = played.run(lml.url)
    assert (lml.asked, report.verdict, sorted(played.credited)) == ([], "done", list(range(16)))
    assert report.counters == Counters(scanned=160, skipped_unresolvable=160)


def test_an_album_that_becomes_unavailable_while_the_run_goes_on_is_not_sent(played):
    def flag_the_last(items):
        if number(items[0]) == 3:
            played.execute("UPDATE library SET discogs_unavailable = true WHERE id % 16 = 4")
            time.sleep(0.3)
        return all_match(items)

    with serving(flag_the_last) as lml:
        report = played.run(lml.url, shards=[3, 4], batch_size=1, pace=Pace(30, 1))
    assert report.counters.skipped_unresolvable >= 8
    assert report.counters.scanned == 20
    assert len(lml.asked) == 20 - report.counters.skipped_unresolvable
    adds_up(played, report)


def test_an_unknown_album_is_not_asked_about_again_until_its_rest_is_over(played):
    with serving(mixed) as lml:
        played.run(lml.url)
        lml.asked.clear()
        again = played.run(lml.url)
        assert {number(item) % 10 for call in lml.asked for item in call} == set(range(1, 10))
        assert counts(again, "scanned", "no_match", "deferred", "lml_deferred") == {
            "scanned": 160, "no_match": 0, "deferred": 16, "lml_deferred": 0,
        }  # fmt: skip
        assert again.verdict == "done"
        adds_up(played, again)
        played.execute("UPDATE wxyc_assets.album_no_match SET asked_at = now() - interval '31 days'")
        assert played.run(lml.url).counters.no_match == 16


def test_an_answer_that_ran_out_of_time_is_an_error_and_never_remembered(played):
    def cut_off(items):
        return [
            no_match(place, timeout=True, degraded=True, degraded_reason="deadline_exceeded")
            for place in range(len(items))
        ]

    with serving(cut_off) as lml:
        report = played.run(lml.url, shards=[3])
        assert counts(report, "error", "no_match", "batch_error") == {"error": 10, "no_match": 0, "batch_error": 0}
        assert played.rows("SELECT FROM wxyc_assets.album_no_match") == []
        assert {line["error_message"] for line in played.steps("lml_error")} == {"degraded: deadline_exceeded"}
        assert played.run(lml.url, shards=[3]).counters.error == 10  # asked again
    assert played.rows("SELECT FROM wxyc_assets.quarantine") == []


def test_the_sandbox_that_runs_out_of_budget_makes_errors_and_no_memory(played):
    slow = DiscogsConfig(cold_items=None, call_latency_ms=400)
    with SandboxLml(discogs=slow) as lml:
        report = played.run(lml.url, shards=[3], budget_ms=100)
    assert (report.counters.error, report.counters.no_match) == (10, 0)
    assert played.rows("SELECT FROM wxyc_assets.album_no_match") == []


# Faults of LML


@pytest.mark.parametrize(
    ("kind", "lost", "beside"),
    [
        ("short", {"unexpected_index": 1}, {}),
        ("long", {}, {"answers_untrusted": 1}),
        ("shifted", {"unexpected_index": 5}, {}),
        ("swapped", {"unexpected_index": 2}, {}),
        ("duplicated", {"unexpected_index": 1}, {}),
        ("foreign", {"unexpected_index": 1}, {}),
        ("null_item", {"unexpected_index": 1}, {}),
        ("non_integer_index", {"unexpected_index": 1}, {}),
        ("bad_confidence", {}, {}),  # nobody reads it here
        ("unknown_kind", {"error": 1}, {"contract_violation": 1}),
    ],
)
def test_a_damaged_answer_costs_the_damaged_albums_and_nobody_else(played, sandbox, kind, lost, beside):
    sandbox.faults.arm(Fault(endpoint=LOOKUP, kind=kind, count=1))
    report = played.run(sandbox.url)
    assert counts(report, *lost, *beside) == lost | beside
    assert report.counters.match + report.counters.no_match == 160 - sum(lost.values())
    adds_up(played, report)
    assert ("unexpected_index_is_zero" in failing(report)) == ("unexpected_index" in lost)
    assert report.verdict == ("anomaly" if lost else "done")
    # The next run makes up for it, and leaves what an undamaged one would have.
    damaged = set(played.metadata())
    again = played.run(sandbox.url)
    assert again.verdict == "done", again.reason
    assert again.counters.match == report.counters.match + (len(played.metadata()) - len(damaged)) + (
        again.counters.match_without_artwork - report.counters.match_without_artwork
    )


def test_rows_are_never_written_under_another_album_whatever_the_order_of_answers(played):
    chance = random.Random(3)

    def shuffled(items):
        answers = all_match(items)
        chance.shuffle(answers)
        return answers[chance.randrange(2) :]

    with serving(shuffled) as lml:
        report = played.run(lml.url)
    written = releases(played)
    assert written == {album_id: album_id for album_id in written}
    assert 0 < len(written) == report.counters.upserts < 160
    assert report.counters.unexpected_index == 160 - len(written)
    adds_up(played, report)


@pytest.mark.parametrize(
    "junk", ["[" * 1000 + "]" * 1000, '"' + "x" * 100_000 + '"', "1e400", "NaN", '"\\ud800"', "9" * 4000], ids=len
)
def test_junk_as_deep_or_long_as_the_wire_lets_through_costs_nobody_else(played, junk):
    def with_junk(items):
        good = [json.dumps(answer) for answer in all_match(items)]
        bad = [junk, f'{{"index": {junk}, "status": "match"}}', f'{{"index": 2, "status": {junk}, "lookup": {junk}}}']
        return f'{{"results": [{", ".join(bad + good[3:])}]}}'.encode()

    with serving(with_junk) as lml:
        report = played.run(lml.url, shards=[0], batch_size=10)
    assert counts(report, "match", "unexpected_index", "error", "contract_violation") == {
        "match": 7, "unexpected_index": 2, "error": 1, "contract_violation": 1,
    }  # fmt: skip
    assert max(len(line) for line in played.stream.getvalue().splitlines()) < 2000
    adds_up(played, report)


def test_a_row_that_the_table_refuses_is_left_out_and_the_run_goes_on(played):
    def with_long_urls(items):
        answers = all_match(items)
        for answer, item in zip(answers, items, strict=True):
            fields = answer["lookup"]["results"][0]["artwork"]
            if number(item) % 40 == 3:
                fields["bandcamp_url"] = "https://x.example/" + "x" * 600
            if number(item) % 40 == 4:
                fields["release_year"] = 70_000
            if number(item) % 40 == 5:
                fields["artist_bio"] = "NUL \0"
        return answers

    with serving(with_long_urls) as lml:
        report = played.run(lml.url)
    assert counts(report, "match", "upserts", "writer_error") == {"match": 160, "upserts": 148, "writer_error": 12}
    assert len(played.metadata()) == 148
    assert len(played.rows("SELECT FROM wxyc_assets.quarantine WHERE kind = 'writer_error'")) == 12
    assert failing(report) == {"writer_errors_zero"}
    assert report.verdict == "anomaly"
    assert {line["album_id"] % 40 for line in played.steps("writer_error")} == {3, 4, 5}
    adds_up(played, report)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(endpoint=LOOKUP, kind="status", status=500),
        Fault(endpoint=LOOKUP, kind="status", status=503),
        Fault(endpoint=LOOKUP, kind="broken_json"),
        Fault(endpoint=LOOKUP, kind="disconnect"),
        Fault(endpoint=LOOKUP, kind="status", status=422),
        Fault(endpoint=LOOKUP, kind="hang"),
    ],
    ids=lambda fault: f"{fault.kind}-{fault.status}",
)
def test_a_call_that_failed_costs_its_batch_only_and_leaves_its_albums_pending(played, sandbox, fault):
    sandbox.faults.arm(fault)
    report = played.run(sandbox.url, client={"timeouts_s": {"bulk_lookup": 0.5 if fault.kind == "hang" else 20}})
    assert counts(report, "scanned", "error", "batch_error") == {"scanned": 160, "error": 5, "batch_error": 5}
    assert report.verdict == "anomaly"
    assert "LML did not answer for 5 albums" in report.reason
    assert sorted(played.credited) == list(range(16))
    (line,) = played.steps("lml_batch_failed")
    assert (line["size"], line["level"]) == (5, "warn")
    assert line["error_message"].startswith("Lml")
    assert line["first_album_id"] < line["last_album_id"]
    assert played.steps("lml_error") == []  # told apart from what LML said of single albums
    failed_batch = [line for line in played.steps("batch_done") if line["lml_error"]]
    assert [(line["scanned"], line["match"]) for line in failed_batch] == [(5, 0)]
    adds_up(played, report)
    assert played.run(sandbox.url).verdict == "done"


def test_a_throttled_batch_is_held_back_and_nothing_of_it_is_an_error(played, sandbox):
    sandbox.faults.arm(Fault(endpoint=LOOKUP, kind="rate_limited", retry_after_s=0))
    report = played.run(sandbox.url)
    assert counts(report, "error", "batch_error", "deferred", "lml_deferred") == {
        "error": 0, "batch_error": 0, "deferred": 5, "lml_deferred": 5,
    }  # fmt: skip
    assert report.verdict == "anomaly"
    (line,) = played.steps("lml_batch_deferred")
    assert line["error_message"].startswith("LmlRateLimited")
    assert played.steps("lml_error") == played.steps("lml_batch_failed") == []
    adds_up(played, report)
    assert played.run(sandbox.url).verdict == "done"


def test_a_429_that_is_waited_out_costs_nobody_anything(played, sandbox):
    sandbox.faults.arm(Fault(endpoint=LOOKUP, kind="rate_limited", retry_after_s=1))
    before = time.monotonic()
    report = played.run(sandbox.url, shards=[3], client={"attempts": 2})
    assert report.verdict == "done", report.reason
    assert report.counters.lml_total_calls == 3
    assert time.monotonic() - before > 1


def test_an_lml_that_is_down_for_all_of_it_fails_the_run_which_counts_every_album_and_marks_none(played):
    with serving(lambda _items: (500, {})) as lml:
        report = played.run(lml.url, client={"breaker_threshold": 3}, pace=Pace(30, 1))
    assert len(lml.asked) == report.counters.lml_total_calls == 3
    assert counts(report, *TOTALS) == {
        "scanned": 160, "match": 0, "no_match": 0, "error": 15,
        "unexpected_index": 0, "skipped_unresolvable": 0, "deferred": 145,
    }  # fmt: skip
    assert (report.verdict, played.credited) == ("failed", [])
    assert "160" in report.reason
    assert played.metadata() == {}
    assert played.rows("SELECT FROM wxyc_assets.album_no_match") == []
    assert played.rows("SELECT FROM wxyc_assets.quarantine") == []
    assert [line["step"] for line in played.lines[-2:]] == ["finished", "failed"]
    assert played.steps("failed")[0]["level"] == "error"
    assert played.steps("failed")[0]["error_name"]
    assert played.steps("analyze_started") == []
    adds_up(played, report)


def test_a_refused_key_is_not_tried_again_for_every_batch(played):
    with serving(lambda _items: (401, {})) as lml:
        report = played.run(lml.url, pace=Pace(30, 1))
    assert (report.verdict, report.counters.batch_error, len(lml.asked)) == ("failed", 160, 1)
    assert len(played.steps("lml_batch_failed")) == 32


def test_an_lml_that_fails_on_every_album_has_answered_and_the_run_was_done(played):
    with serving(lambda items: [failed(place) for place in range(len(items))]) as lml:
        report = played.run(lml.url, shards=[3])
    assert (report.verdict, report.counters.error, played.credited) == ("done", 10, [3])
    assert [line["album_id"] for line in played.steps("lml_error")] == list(range(3, 160, 16))


# Faults of the database


def test_a_database_that_dies_in_mid_run_fails_the_run_and_loses_nothing_that_was_committed(played):
    def kill_once(items):
        if len(lml.asked) == 20:
            while len(played.steps("batch_done")) < 5:
                time.sleep(0.005)
            played.kill_sessions()
        return mixed(items)

    with serving(kill_once) as lml:
        report = played.run(lml.url)
    assert report.verdict == "failed"
    assert "database" in report.reason
    tallied = Counters.from_stored(played.tallied(report.request.run_id))
    assert 25 <= tallied.scanned == tallied.accounted < 160
    assert tallied.upserts == len(played.metadata())
    assert tallied.no_match == len(played.rows("SELECT FROM wxyc_assets.album_no_match"))
    credited = {(str(shard),) for shard in played.credited}
    assert set(played.rows("SELECT partition_key FROM wxyc_assets.tally WHERE complete")) == credited
    with serving(mixed) as lml:
        again = played.run(lml.url)
    assert again.verdict == "done", again.reason
    assert releases(played) == {one: one for one in range(1, 161) if one % 10 > 2}


def test_a_row_that_somebody_blocks_for_longer_than_a_statement_may_take_costs_its_shard_only(played):
    played.execute("INSERT INTO album_metadata (album_id, updated_at) VALUES (17, '2020-01-01')")
    impatient = Runs(replace(played.postgres, statement_timeout_ms=1000))
    with played.postgres.connect() as other, other.transaction():
        other.execute("SELECT FROM album_metadata WHERE album_id = 17 FOR UPDATE")
        with serving(all_match) as lml:
            report = impatient.run(lml.url)
    assert report.verdict == "failed"
    assert report.reason.startswith("shard 1: database: QueryCanceled")
    assert sorted(impatient.credited) == [0, *range(2, 16)]
    assert impatient.rows("SELECT FROM wxyc_assets.quarantine") == []


def test_a_database_without_our_schema_is_refused_before_anything_is_asked(database):
    runs = Runs(Postgres(database))
    with serving(all_match) as lml, pytest.raises(MigrationError, match="wxyc migrate"):
        runs.run(lml.url)
    assert lml.asked == []
    (line,) = runs.lines
    assert (line["step"], line["error_name"]) == ("failed", "MigrationError")


# Locks, kills, interruptions


def test_a_locked_shard_is_refused_by_its_holders_name_and_the_others_are_done(played):
    with single_flight.run_locks(played.postgres, "the-other-run") as locks:
        assert locks.take([single_flight.unit("album_metadata", 4)]) == []
        with serving(all_match) as lml:
            report = played.run(lml.url)
    assert report.verdict == "failed"
    assert "the-other-run" in report.reason
    assert {number(item) % 16 for call in lml.asked for item in call} == set(range(16)) - {4}
    assert sorted(played.credited) == [shard for shard in range(16) if shard != 4]
    assert report.counters.scanned == 150


def test_a_run_holds_its_shards_and_its_own_id_until_it_has_ended(played):
    held = []

    def look(items):
        units = [single_flight.run_unit(run_id), *(single_flight.unit("album_metadata", s) for s in range(16))]
        with played.postgres.connect() as connection:
            held.append(len(single_flight.held_units(connection, units)))
        return all_match(items)

    run_id = str(uuid.uuid4())
    with serving(look) as lml:
        played.run(lml.url, run_id=run_id, batch_size=50)
    assert set(held) == {17}
    with played.postgres.connect() as connection:
        assert single_flight.held_units(connection, [single_flight.run_unit(run_id)]) == set()


def test_a_run_that_is_killed_is_finished_by_the_next_and_what_it_counted_is_what_it_wrote(played):
    def slowly(items):
        time.sleep(0.05)
        return mixed(items)

    chance = random.Random(7)
    died = 0
    with serving(slowly) as lml:
        for attempt in range(3):
            run_id = f"killed {attempt}"
            with child(A_RUN, played.postgres.dsn, lml.url, run_id) as process:
                calls = len(lml.asked) + chance.randrange(10, 20)
                while len(lml.asked) < calls and process.poll() is None:
                    time.sleep(0.002)
                time.sleep(chance.random() * 0.05)
                process.kill()
                died += process.wait() == -signal.SIGKILL
            tallied = Counters.from_stored(played.tallied(run_id))
            assert tallied.scanned == tallied.accounted
            assert tallied.match == tallied.rows_accounted
        assert died > 1
        # The killed ones' locks died with them: nobody waits.
        report = played.run(lml.url)
    assert report.verdict == "done", report.reason
    assert releases(played) == {one: one for one in range(1, 161) if one % 10 > 2}


def test_an_interrupted_run_ends_within_seconds_while_lml_hangs(played):
    with serving(all_match) as lml, child(A_RUN, played.postgres.dsn, lml.url, "interrupted") as process:
        assert interrupt_while_lml_hangs(process, lml) < 5
        assert b"KeyboardInterrupt" in process.stderr.read()
    assert played.rows("SELECT verdict, reason FROM wxyc_assets.run") == [("failed", "KeyboardInterrupt")]
    with played.postgres.connect() as connection:
        assert single_flight.held_units(connection, [single_flight.run_unit("interrupted")]) == set()


def test_a_defect_fails_the_run_and_reaches_the_caller(played):
    class Broken:
        def bulk_lookup(self, _items, **_options):
            return BulkLookupAnswer.model_construct(results=7)

    with pytest.raises(TypeError):
        run(request(), played.tools(Broken()), lambda _done: None)
    (line,) = played.steps("failed")
    assert (line["level"], line["error_name"]) == ("error", "TypeError")
    assert played.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]


# The budget, and many at once


def test_every_call_is_reserved_from_the_stations_budget(played):
    with serving(all_match, api_calls=None) as lml:
        began = time.monotonic()
        report = played.run(lml.url, shards=[3], batch_size=5, per_minute=600, pace=Pace(600, 1))
    assert report.verdict == "done"
    assert time.monotonic() - began >= 0.5  # ten albums at ten a second, the first five at once
    assert played.rows("SELECT tat > clock_timestamp() - interval '20 s' FROM wxyc_assets.budget") == [(True,)]


def test_what_the_run_still_expects_to_cost_is_on_record_and_goes_down(played):
    seen = []

    def look_at_ledger(items):
        seen.append(played.rows("SELECT discogs_calls_left FROM wxyc_assets.run")[0][0])
        return all_match(items)

    with serving(look_at_ledger) as lml:
        played.run(lml.url, shards=[3, 4], pace=Pace(30, 2))  # one batch at a time
    assert seen[0] == 40
    assert seen == sorted(seen, reverse=True)
    assert seen[-1] <= 20
    assert played.rows("SELECT discogs_calls_left FROM wxyc_assets.run") == [(0,)]


def test_waiting_for_the_budget_is_no_part_of_a_batchs_time(played):
    with serving(all_match, api_calls=None) as lml:
        played.run(lml.url, shards=[3], batch_size=5, per_minute=200, pace=Pace(200, 1))
    assert max(line["wall_clock_ms"] for line in played.steps("batch_done")) < 1000


def test_at_the_usual_budget_albums_that_cost_discogs_nothing_are_not_waited_for(played):
    """What a call did not use is given back only to nobody behind it: more in flight would wait five minutes here."""
    with serving(all_match, api_calls=0) as lml:
        began = time.monotonic()
        report = played.run(lml.url, per_minute=30, pace=Pace(30, 1))
    assert (report.verdict, report.counters.match) == ("done", 160)
    assert time.monotonic() - began < 10


def test_eight_batches_are_asked_at_once_also_across_the_ends_of_shards(runs):
    with runs.postgres.connect() as connection:
        generate_libraries(connection, 2400, first_id=1)
        generate_plays(connection, 4800)
    together = threading.Barrier(8)

    def wait_for_seven_others(items):
        together.wait(timeout=20)
        return all_match(items)

    with serving(wait_for_seven_others) as lml:
        report = runs.run(lml.url, pace=Pace(1e9, 1), batch_size=100)
    assert (report.counters.match, report.counters.batches) == (2400, 32)


# Dry runs


def test_a_dry_run_asks_and_writes_nothing_and_says_what_would_be_asked_and_when_it_would_be_done(played):
    played.execute("UPDATE library SET discogs_unavailable = true WHERE id = 3")
    played.execute(
        "INSERT INTO wxyc_assets.album_no_match SELECT l.id, a.artist_name, l.album_title, now(), 'r' "
        "FROM library l JOIN artists a ON a.id = l.artist_id WHERE l.id IN (4, 5)"
    )
    played.execute("UPDATE wxyc_assets.budget SET tat = now() + interval '30 s'")
    before = played.everything()
    with serving(all_match) as lml, single_flight.run_locks(played.postgres, "the-other-run") as locks:
        locks.take([single_flight.unit("album_metadata", shard) for shard in range(16)])  # waits for nobody
        dry = played.run(lml.url, dry_run=True, pace=Pace(30, 1))
        assert lml.asked == []
    assert played.everything() == before
    assert (dry.verdict, played.credited) == ("done", [])
    assert dry.counters == Counters(scanned=160, would_ask=157, skipped_unresolvable=1, deferred=2, batches=32)
    assert [finding.name for finding in dry.findings if finding.passed] == ["accounting_holds"]
    report = dict(dry.dry_run_report)
    assert report.pop("budget_backlog_s") == pytest.approx(30, abs=2)
    assert report == {
        "scanned": 160, "batches": 32, "calls": 32, "would_ask": 157, "would_skip_unresolvable": 1, "would_defer": 2,
        "discogs_calls": 157, "budget_ours_s": 314,
    }  # fmt: skip
    assert [line["step"] for line in played.lines] == ["started", "enumerated", "dry_run_plan", "finished"]
    (planned,) = played.steps("dry_run_plan")
    assert (planned["batches"], planned["batch_size"]) == (32, 5)
    assert planned["budget_done_at"] > planned["timestamp"]
    assert played.steps("finished")[0]["match"] == 0
    played.execute("UPDATE wxyc_assets.budget SET tat = now()")
    with serving(all_match) as lml:
        real = played.run(lml.url)
    assert (real.counters.batches, real.counters.match) == (dry.counters.batches, 157)
    assert real.counters.totals().keys() == dry.counters.totals().keys()


# What it tells


def test_log_lines_have_the_contracts_steps_and_fields_in_compact_json(played):
    with serving(mixed) as lml:
        report = played.run(lml.url, shards=range(2), pace=Pace(30, 1), per_minute=1e9)
    steps = [line["step"] for line in played.lines]
    assert steps[:2] == ["started", "enumerated"]
    assert steps[-2:] == ["analyze_started", "finished"]
    assert steps.count("batch_done") == 4
    assert ", " not in played.stream.getvalue()
    assert '": ' not in played.stream.getvalue()
    base = {"repo": "wxyc_assets", "tool": "album-level-backfill", "run_id": report.request.run_id}
    assert all(base.items() <= line.items() for line in played.lines)
    contract = {"batch_size": 5, "rate_per_min": 30, "budget_ms": 25000, "dry_run": False}
    assert contract.items() <= played.steps("started")[0].items()
    assert played.steps("enumerated")[0]["scanned"] == 20
    batches = played.steps("batch_done")
    assert [line["batch_index"] for line in batches] == [1, 2, 3, 4]
    for line in batches:
        assert line.keys() == played.steps("started")[0].keys() - contract.keys() | {
            *("batch_index", "batches", "scanned", "match", "no_match", "lml_error", "upserts", "unexpected_index"),
            "wall_clock_ms",
        }
        assert (line["batches"], line["scanned"]) == (4, 5)
        assert line["match"] + line["no_match"] + line["lml_error"] == 5
        assert line["wall_clock_ms"] > 0
    assert report.counters.totals().items() <= played.steps("finished")[0].items()
    assert {"album_id", "error_message"} <= played.steps("lml_error")[0].keys()


def test_every_row_under_a_foreign_index_is_a_line_and_every_batch_one_breadcrumb_and_one_message(played):
    played.sentry, collector = watched_sentry()

    def rotated(items):
        answers = all_match(items)
        return [*answers[1:], answers[0]] if number(items[0]) % 16 == 3 else answers

    with serving(rotated) as lml:
        report = played.run(lml.url, shards=[3, 4])
    played.sentry.flush()
    assert report.counters.unexpected_index == 10
    lines = played.steps("unexpected_result_index")
    assert {line["level"] for line in lines} == {"warn"}
    assert [(line["expected_index"], line["got_index"]) for line in lines] == [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
        (4, 0),
    ] * 2
    assert [line["album_id"] for line in lines] == list(range(3, 160, 16))
    batches = [one for one in collector.events if one["message"] == "album-level-backfill.unexpected_index"]
    assert [one["extra"]["batch_first_id"] for one in batches] == [3, 83]
    for one in batches:
        assert one["level"] == "warning"
        assert one["fingerprint"] == ["album-level-backfill", "unexpected_index"]
        assert one["tags"]["source"] == "album-level-backfill"
        assert (one["extra"]["unexpected_index"], one["extra"]["scanned"]) == (5, 5)
    crumbs = batches[-1]["breadcrumbs"]["values"]
    assert [(crumb["category"], crumb["message"]) for crumb in crumbs] == [
        ("album-level-backfill", "unexpected_result_index")
    ] * 2
    assert [crumb["data"] for crumb in crumbs] == [
        {"mismatch_count": 5, "first_mismatch_index": 0, "first_mismatch_got": 1, "first_mismatch_album_id": first}
        for first in (3, 83)
    ]
    played.sentry.close()


def test_the_last_day_is_logged_once_a_run_naming_the_first_mismatch_until_it_is_a_day_old(played):
    with serving(lambda items: [match(place + 1) for place in range(len(items))]) as lml:
        first = played.run(lml.url, shards=[3])
        lml.say = all_match
        again = played.run(lml.url, shards=[3, 4])
        played.execute("UPDATE wxyc_assets.tally SET updated_at = updated_at - interval '24 hours'")
        later = played.run(lml.url, shards=[3])
    lately = {"unexpected_index_24h_is_zero"}
    assert failing(first) == lately | {"unexpected_index_is_zero"}
    assert (failing(again), again.verdict) == (lately, "done")  # it only alerts
    assert (failing(later), later.verdict) == (set(), "done")
    told = played.steps("unexpected_index_24h")
    assert [line["unexpected_index_24h"] for line in told] == [10, 10]
    assert {(line["first_mismatch_album_id"], line["first_run_id"]) for line in told} == {(3, first.request.run_id)}
    assert told[0]["first_mismatch"] == "position 0: index 1 in its place"


def test_surplus_answers_are_logged_and_counted_and_cost_nobody_anything(played):
    with serving(lambda items: [*all_match(items), match(len(items)), match(0)]) as lml:
        report = played.run(lml.url, shards=[3])
    assert counts(report, "match", "answers_untrusted", "unexpected_index") == {
        "match": 10, "answers_untrusted": 4, "unexpected_index": 0,
    }  # fmt: skip
    assert [line["surplus"] for line in played.steps("surplus_answers")] == [2, 2]
    assert (report.verdict, failing(report)) == ("done", {"surplus_answers_zero"})


def test_sentry_hears_of_failed_calls_once_and_not_of_those_that_were_never_made(played):
    played.sentry, collector = watched_sentry()
    with serving(lambda _items: (500, {})) as lml:
        played.run(lml.url, client={"breaker_threshold": 2}, pace=Pace(30, 1))
        lml.say = lambda _items: (401, {})
        played.run(lml.url, pace=Pace(30, 1))
    played.sentry.flush()
    assert [event["fingerprint"] for event in collector.events] == [
        ["album-level-backfill", "lml_batch_failed", "LmlServerError"],
        ["album-level-backfill", "lml_batch_failed", "LmlServerError"],
        ["album-level-backfill", "lml_batch_failed", "LmlAuthError"],
    ]
    played.sentry.close()


def test_each_call_is_a_span_of_the_contracts_name_and_attributes(played):
    played.sentry, collector = watched_sentry()
    with serving(all_match) as lml:
        played.run(lml.url, shards=[3])
    played.sentry.flush()
    spans = collector.spans
    assert [span["name"] for span in spans] == ["lml.lookup.bulk"] * 2
    for span in spans:
        said = {name: one["value"] for name, one in span["attributes"].items()}
        assert (said["sentry.op"], said["lml.bulk.size"], said["lml.caller"]) == (
            "http.client", 5, "album-level-backfill",
        )  # fmt: skip
        assert said["lml.cache.pg_hits"] == 2
    played.sentry.close()


def test_progress_is_told_the_total_beforehand_and_every_album_as_it_is_done(played):
    played.progress = bar = Told()
    with serving(mixed) as lml:
        played.run(lml.url)
    assert bar.told[0] == ("album_metadata", 160, "albums")
    assert sum(bar.told[1:-1]) == 160
    assert bar.told[-1] == "finish"


def test_analyze_follows_a_run_that_wrote_something_and_no_other(played):
    def analyzed():
        return played.rows("SELECT analyze_count FROM pg_stat_user_tables WHERE relname = 'album_metadata'")[0][0]

    with serving(lambda items: [no_match(place) for place in range(len(items))]) as lml:
        played.run(lml.url, shards=[3])
        assert (analyzed(), played.steps("analyze_started")) == (0, [])
        lml.say = all_match
        played.run(lml.url, shards=[4])
    assert len(played.steps("analyze_started")) == 1
    assert analyzed() == 1
