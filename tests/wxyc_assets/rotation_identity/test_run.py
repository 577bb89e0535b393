"""A whole run, over real HTTP into a real database: what it writes, counts, says and leaves behind, whatever happens."""

import json
import signal
import threading
import time
import uuid
from dataclasses import replace

import pytest

from resources.lml.models import ResolvedIdentity
from resources.postgres import Postgres
from tests.outage import Outage
from tests.sentry_watch import watched_sentry
from tests.station_runs import Told, child
from tests.wxyc_assets.rotation_identity.minting_lml import identity_of, minted, minting, release
from tests.wxyc_assets.rotation_identity.rotations import TOOL, Rotations, in_days, request, today
from wxyc_assets import single_flight
from wxyc_assets.revision import MigrationError
from wxyc_assets.rotation_identity.counters import BUCKETS, Counters
from wxyc_assets.rotation_identity.run import run
from wxyc_assets.sandbox.lml.faults import Fault

ALL = {rotation_id: identity_of(1000 + rotation_id) for rotation_id in range(1, 61)}
UNIT = "rotation_identity/all"


def failing(report):
    return {finding.name for finding in report.findings if not finding.passed}


def counts(report, *names):
    return {name: getattr(report.counters, name) for name in names}


def resolved_only(rotation):
    return {rotation_id: identity for rotation_id, identity in rotation.identities.items() if identity is not None}


def adds_up(rotation, report):
    """Every row once, as the report, the ledger and the contract's sum have it."""
    totals = report.counters.stored()
    assert totals["scanned"] == sum(totals[bucket] for bucket in BUCKETS)
    assert rotation.tallied(report.request.run_id) == totals
    assert "accounting_holds" not in failing(report)


# What a run writes and counts


def test_every_resolvable_row_is_asked_about_once_and_gets_its_own_identity(rotation):
    with minting(minted) as lml:
        report = rotation.run(lml.url)
    assert sorted(release(body) for body in lml.asked) == list(range(1001, 1061))
    assert rotation.identities == ALL
    assert counts(report, "scanned", "resolved", "lml_total_calls") == {
        "scanned": 60, "resolved": 60, "lml_total_calls": 60,
    }  # fmt: skip
    assert (report.verdict, report.reason, failing(report)) == ("done", "", set())
    adds_up(rotation, report)
    assert rotation.rows("SELECT asset, origin, verdict, reason FROM wxyc_assets.run") == [
        ("rotation_identity", "explicit", "done", None)
    ]
    assert rotation.rows("SELECT partition_key, complete FROM wxyc_assets.tally") == [("all", True)]


def test_each_call_says_what_the_contract_says_and_no_more(rotation):
    with minting(minted) as lml:
        rotation.run(lml.url)
    for body, headers in zip(lml.asked, lml.headers, strict=True):
        assert body == {"kind": "release", "source": "discogs_release", "external_id": body["external_id"]}
        assert body["external_id"].isdigit()
        assert headers["Authorization"] == "Bearer sandbox-key"
        assert not [name for name in headers if name.lower().startswith("x-caller")]


def test_rows_that_are_killed_have_no_release_or_have_an_identity_are_left_alone(empty):
    empty.add(1, 11, kill=today())
    empty.add(2, None)
    empty.add(3, 13, has=7)
    empty.add(4, 14, kill=in_days(1))
    with minting(minted) as lml:
        report = empty.run(lml.url)
    assert empty.identities == {1: None, 2: None, 3: 7, 4: identity_of(14)}
    assert (report.counters.scanned, len(lml.asked)) == (1, 1)


def test_two_rows_of_one_release_are_two_questions_and_get_the_same_identity(empty):
    empty.add(1, 11)
    empty.add(2, 11)
    with minting(minted) as lml:
        report = empty.run(lml.url)
    assert (empty.identities, report.counters.resolved) == ({1: identity_of(11), 2: identity_of(11)}, 2)


def test_a_rotation_with_nothing_to_ask_is_done_without_a_call(empty):
    empty.add(1, 11, has=7)
    with minting(minted) as lml:
        report = empty.run(lml.url)
    assert (lml.asked, report.verdict, report.counters) == ([], "done", Counters())
    assert empty.rows("SELECT complete FROM wxyc_assets.tally") == [(True,)]


def test_a_second_run_asks_only_about_what_is_left(rotation):
    with minting(lambda body: minted(body) if release(body) != 1007 else (422, {})) as lml:
        rotation.run(lml.url)
        lml.asked.clear()
        again = rotation.run(lml.url)
    assert [release(body) for body in lml.asked] == [1007]
    assert counts(again, "scanned", "unresolved") == {"scanned": 1, "unresolved": 1}


def test_the_sandboxs_lml_gives_its_own_identities(rotation, sandbox):
    report = rotation.run(sandbox.url)
    assert (report.verdict, len(set(rotation.identities.values()))) == ("done", 60)


def test_several_are_asked_at_once_and_no_more_than_eight(rotation):
    lock, at_once, most = threading.Lock(), 0, 0

    def slowly(body):
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.1)
        with lock:
            at_once -= 1
        return minted(body)

    with minting(slowly) as lml:
        began = time.monotonic()
        report = rotation.run(lml.url)
    assert report.verdict == "done"
    assert 6 <= most <= 8
    assert time.monotonic() - began < 60 * 0.1 / 2


def test_answers_are_written_while_others_are_still_being_asked_for(rotation):
    written = []

    def count_first(body):
        if release(body) == 1060:
            written.append(rotation.rows("SELECT count(*) FROM rotation WHERE lml_identity_id IS NOT NULL")[0][0])
        time.sleep(0.02)
        return minted(body)

    with minting(count_first) as lml:
        rotation.run(lml.url)
    assert written[0] >= 20


# Rows that change while LML is being asked


def test_a_row_that_changes_between_the_reading_and_the_writing_is_raced_and_stays_as_it_became(rotation):
    def meddle(body):
        if release(body) == 1001:
            rotation.execute("UPDATE rotation SET lml_identity_id = 77 WHERE id = 1")
        if release(body) == 1002:
            rotation.execute("UPDATE rotation SET discogs_release_id = 999 WHERE id = 2")
        if release(body) == 1003:
            rotation.execute("DELETE FROM rotation WHERE id = 3")
        return minted(body)

    with minting(meddle) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "scanned", "resolved", "raced") == {"scanned": 60, "resolved": 57, "raced": 3}
    expected = {**ALL, 1: 77, 2: None}
    del expected[3]
    assert rotation.identities == expected
    adds_up(rotation, report)
    assert (report.verdict, failing(report)) == ("anomaly", {"coverage_of_resolvable"})  # 58 of 59 is too little
    with minting(minted) as lml:
        again = rotation.run(lml.url)
    assert ([release(body) for body in lml.asked], again.verdict) == ([999], "done")


# What LML says instead


def test_a_release_without_an_identity_is_unresolved_and_keeps_the_coverage_down(rotation):
    with minting(lambda body: (422, {}) if release(body) <= 1002 else minted(body)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "resolved", "unresolved", "lml_error") == {"resolved": 58, "unresolved": 2, "lml_error": 0}
    assert resolved_only(rotation) == {i: ALL[i] for i in range(3, 61)}
    assert (report.verdict, report.reason) == ("anomaly", "failed checks: coverage_of_resolvable")
    (finding,) = [one for one in report.findings if not one.passed]
    assert finding.numbers == {
        "active": 60, "active_with_discogs": 60, "active_with_lml": 58, "resolvable_coverage_pct": 96.67,
    }  # fmt: skip
    assert finding.description.endswith("the first rotation ids without: 1, 2")
    assert (rotation.quarantined, rotation.steps("lml_error")) == ([], [])
    adds_up(rotation, report)


@pytest.mark.parametrize(
    ("said", "calls"),
    [((500, {}), 2), ((503, {}), 2), ((429, {}), 2), ((400, {}), 1), ((404, {}), 1), (b"<html>", 2)],
    ids=str,
)
def test_any_other_failure_is_an_lml_error_of_its_row_and_costs_nobody_else(rotation, said, calls):
    with minting(lambda body: said if release(body) == 1005 else minted(body)) as lml:
        report = rotation.run(lml.url, client={"attempts": 2})
        assert counts(report, "scanned", "resolved", "lml_error") == {"scanned": 60, "resolved": 59, "lml_error": 1}
        assert report.counters.lml_total_calls == len(lml.asked) == 59 + calls
        assert resolved_only(rotation) == {i: identity for i, identity in ALL.items() if i != 5}
        assert report.verdict == "anomaly"
        assert report.reason.startswith("LML did not answer for 1 rows, which the next run asks again")
        assert rotation.quarantined == []
        (line,) = rotation.steps("lml_error")
        assert (line["rows"], line["first_rotation_id"], line["level"]) == (1, 5, "warn")
        assert line["error_message"].startswith("Lml")
        adds_up(rotation, report)
        lml.say = minted
        assert rotation.run(lml.url).verdict == "done"


def test_an_answer_of_another_shape_is_an_lml_error_of_its_row_and_costs_nobody_else(rotation):
    nonsense = dict(
        enumerate(
            [
                b"null",
                b"[]",
                b"7",
                b"{}",
                b'{"identity_id": "12", "kind": "release", "minted": true}',
                b'{"identity_id": true, "kind": "release", "minted": true}',
                b'{"identity_id": 12.5, "kind": "release", "minted": true}',
                b'{"identity_id": null, "kind": "release", "minted": true}',
                b'{"identity_id": NaN, "kind": "release", "minted": true}',
                b'{"identity_id": 1e400, "kind": "release", "minted": true}',
                b'{"identity_id": [12], "kind": "release", "minted": true}',
                b'{"kind": "release", "minted": true}',
                b'{"identity_id": 12, "kind": 7, "minted": true}',
                b'{"identity_id": 12, "kind": "release", "minted": "yes"}',
                b'{"results": [{"identity_id": 12, "kind": "release", "minted": true}]}',
                b"[" * 2000,
            ],
            start=1,
        )
    )
    with minting(lambda body: nonsense.get(release(body) - 1000) or minted(body)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "lml_error", "contract_violation") == {"lml_error": len(nonsense), "contract_violation": 0}
    assert resolved_only(rotation) == {i: identity for i, identity in ALL.items() if i not in nonsense}
    assert rotation.quarantined == []
    adds_up(rotation, report)


def test_a_429_that_is_waited_out_costs_nobody_anything(rotation, sandbox):
    sandbox.faults.arm(Fault(endpoint="identity-resolve", kind="rate_limited", retry_after_s=0))
    report = rotation.run(sandbox.url, client={"attempts": 2})
    assert (report.verdict, report.counters.resolved, report.counters.lml_total_calls) == ("done", 60, 61)


@pytest.mark.parametrize("kind", ["hang", "disconnect", "broken_json", "drip"])
def test_a_call_that_breaks_or_hangs_costs_its_row_only(rotation, sandbox, kind):
    sandbox.faults.arm(Fault(endpoint="identity-resolve", kind=kind, after=7, latency_ms=200))
    report = rotation.run(sandbox.url, client={"timeouts_s": {"resolve_identity": 0.5}})
    assert counts(report, "scanned", "resolved", "lml_error") == {"scanned": 60, "resolved": 59, "lml_error": 1}
    assert report.verdict == "anomaly"
    adds_up(rotation, report)


def test_an_identity_that_cannot_be_right_is_quarantined_and_never_written(rotation):
    changed = {
        3: ({"identity_id": 0}, "identity_id 0,"),
        4: ({"identity_id": -5}, "identity_id -5,"),
        5: ({"identity_id": 2**31}, "identity_id 2147483648,"),
        6: ({"identity_id": 2**63}, "identity_id 9223372036854775808,"),
        7: ({"kind": "artist"}, "kind 'artist'"),
        8: ({"kind": "nul \0 \ud800"}, "kind 'nul "),
    }
    with minting(lambda body: minted(body, **changed.get(release(body) - 1000, ({},))[0])) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "resolved", "contract_violation", "lml_error") == {
        "resolved": 54, "contract_violation": 6, "lml_error": 0,
    }  # fmt: skip
    assert resolved_only(rotation) == {i: identity for i, identity in ALL.items() if i not in changed}
    assert rotation.quarantined == [(i, "contract_violation", 1, False, False) for i in changed]
    kept = rotation.rows("SELECT input_id, reason, payload_digest FROM wxyc_assets.quarantine ORDER BY 1")
    lines = rotation.steps("contract_violation")
    for (rotation_id, reason, _), line in zip(kept, lines, strict=True):
        said = changed[rotation_id][1]
        assert said in reason
        assert said in line["error_message"]
        assert (line["rotation_id"], line["discogs_release_id"]) == (rotation_id, 1000 + rotation_id)
    assert {len(digest) for _, _, digest in kept} == {64}
    assert failing(report) == {"contract_violations_zero", "coverage_of_resolvable"}
    adds_up(rotation, report)


def test_after_three_violations_in_a_row_a_row_rests_for_a_day_and_the_others_do_not(rotation):
    with minting(lambda body: minted(body, identity_id=0) if release(body) == 1005 else (422, {})) as lml:
        for _ in range(3):
            assert rotation.run(lml.url).counters.contract_violation == 1
        lml.asked.clear()
        rested = rotation.run(lml.url)
        assert counts(rested, "scanned", "unresolved", "contract_violation", "resting") == {
            "scanned": 59, "unresolved": 59, "contract_violation": 0, "resting": 1,
        }  # fmt: skip
        assert 1005 not in [release(body) for body in lml.asked]
        assert rested.coverage.active_with_discogs == 60  # it still counts as one without
        adds_up(rotation, rested)
        rotation.execute("UPDATE wxyc_assets.quarantine SET wait_until = now() - interval '1 second'")
        assert rotation.run(lml.url).counters.contract_violation == 1


def test_an_lml_that_is_down_for_all_of_it_fails_the_run_which_walks_every_row_and_writes_none(rotation):
    watermark = "SELECT last_modified_at FROM library_watermark"
    before = rotation.rows(watermark)
    with minting(lambda _body: (500, {})) as lml:
        report = rotation.run(lml.url, client={"breaker_threshold": 3})
    assert 3 <= len(lml.asked) <= 3 + 8  # those that were in flight
    assert counts(report, "scanned", "lml_error", "lml_total_calls") == {
        "scanned": 60, "lml_error": 60, "lml_total_calls": len(lml.asked),
    }  # fmt: skip
    assert report.verdict == "failed"
    assert report.reason.startswith("LML answered for none of the 60 rows asked")
    assert (resolved_only(rotation), rotation.quarantined, rotation.rows(watermark)) == ({}, [], before)
    kinds = {line["error_message"].partition(":")[0]: line["rows"] for line in rotation.steps("lml_error")}
    assert kinds.keys() == {"LmlServerError", "LmlUnavailable"}
    assert sum(kinds.values()) == 60
    assert [line["step"] for line in rotation.lines[-2:]] == ["finished", "failed"]
    adds_up(rotation, report)
    with minting(minted) as lml:
        assert rotation.run(lml.url).counters.resolved == 60


def test_an_lml_that_is_not_there_at_all_fails_the_run(rotation):
    report = rotation.run("http://127.0.0.1:9")
    assert (report.verdict, report.counters.lml_error) == ("failed", 60)
    adds_up(rotation, report)


def test_a_refused_key_is_not_tried_for_every_row(rotation):
    with minting(lambda _body: (401, {})) as lml:
        report = rotation.run(lml.url)
    assert (report.verdict, report.counters.lml_error) == ("failed", 60)
    assert len(lml.asked) <= 8


# What the tables refuse


def test_a_row_that_the_table_refuses_is_left_out_and_the_run_goes_on(rotation):
    rotation.execute("ALTER TABLE rotation ADD CONSTRAINT not_these CHECK (lml_identity_id % 20 <> 7) NOT VALID")
    with minting(minted) as lml:
        report = rotation.run(lml.url)
    refused = [rotation_id for rotation_id, identity in ALL.items() if identity % 20 == 7]
    assert len(refused) == 3
    assert counts(report, "scanned", "resolved", "writer_error") == {"scanned": 60, "resolved": 57, "writer_error": 3}
    assert resolved_only(rotation) == {i: identity for i, identity in ALL.items() if i not in refused}
    assert rotation.quarantined == [(i, "writer_error", 1, False, False) for i in refused]
    assert [line["rotation_id"] for line in rotation.steps("writer_error")] == refused
    assert failing(report) == {"writer_errors_zero", "coverage_of_resolvable"}
    assert report.verdict == "anomaly"
    adds_up(rotation, report)


def test_a_row_that_somebody_blocks_for_longer_than_a_statement_may_take_ends_the_walk_and_loses_nothing(rotation):
    impatient = Rotations(replace(rotation.postgres, statement_timeout_ms=500))
    with rotation.postgres.connect() as other, other.transaction():
        other.execute("SELECT FROM rotation WHERE id = 25 FOR UPDATE")
        with minting(minted) as lml:
            report = impatient.run(lml.url)
    assert report.verdict == "failed"
    assert "QueryCanceled" in report.reason
    assert resolved_only(rotation) == {i: ALL[i] for i in range(1, 21)}
    assert counts(report, "scanned", "resolved") == {"scanned": 20, "resolved": 20}
    adds_up(rotation, report)
    assert rotation.rows("SELECT complete FROM wxyc_assets.tally") == [(False,)]


def test_a_database_that_dies_in_mid_run_fails_the_run_and_loses_nothing_that_was_committed(rotation):
    def kill(body):
        if release(body) == 1055:
            while len(resolved_only(rotation)) < 20:
                time.sleep(0.01)
            rotation.kill_sessions()
        return minted(body)

    with minting(kill) as lml:
        report = rotation.run(lml.url)
    assert report.verdict == "failed"
    assert "database" in report.reason
    tallied = Counters.from_stored(rotation.tallied(report.request.run_id))
    assert 20 <= tallied.scanned == tallied.accounted < 60
    assert tallied.resolved == len(resolved_only(rotation))
    with minting(minted) as lml:
        assert rotation.run(lml.url).verdict == "done"
    assert rotation.identities == ALL


def test_a_database_that_stays_away_fails_the_run_in_its_own_words_and_the_next_one_does_the_rest(rotation, server):
    outage = Outage(server.dsn("postgres"), rotation.postgres)

    def go_away(body):
        if release(body) == 1055:
            while len(resolved_only(rotation)) < 20:
                time.sleep(0.01)
            outage.begin()
        return minted(body)

    try:
        with minting(go_away) as lml:
            report = rotation.run(lml.url)
    finally:
        outage.end()
    assert (report.verdict, "not currently accepting connections" in report.reason) == ("failed", True)
    assert report.coverage is None
    assert [line["step"] for line in rotation.lines[-2:]] == ["finished", "failed"]
    assert Counters.from_stored(rotation.tallied(report.request.run_id)) == report.counters
    assert report.counters.resolved == len(resolved_only(rotation))
    with minting(minted) as lml:
        assert rotation.run(lml.url).verdict == "done"
    assert rotation.identities == ALL


def test_a_database_without_our_schema_is_refused_before_anything_is_asked(database):
    rotation = Rotations(Postgres(database))
    with minting(minted) as lml, pytest.raises(MigrationError, match="wxyc migrate"):
        rotation.run(lml.url)
    assert lml.asked == []
    assert [line["step"] for line in rotation.lines] == ["init", "failed"]


# Locks, kills, interruptions


def test_two_runs_never_walk_the_rotation_at_once(rotation):
    with single_flight.run_locks(rotation.postgres, "the-other-run") as locks:
        assert locks.take([UNIT]) == []
        with minting(minted) as lml:
            report = rotation.run(lml.url)
    assert (report.verdict, lml.asked, resolved_only(rotation)) == ("failed", [], {})
    assert "the-other-run" in report.reason
    assert report.findings == []
    assert rotation.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]


def test_a_run_holds_the_rotation_and_its_own_id_until_it_has_ended(rotation):
    held = []

    def look(body):
        with rotation.postgres.connect() as connection:
            held.append(single_flight.held_units(connection, [UNIT, single_flight.run_unit(run_id)]))
        return minted(body)

    run_id = str(uuid.uuid4())
    with minting(look) as lml:
        rotation.run(lml.url, run_id=run_id)
    assert all(units == {UNIT, single_flight.run_unit(run_id)} for units in held)
    deadline = time.monotonic() + 10  # the server ends a session a moment after its client has
    with rotation.postgres.connect() as connection:
        while held := single_flight.held_units(connection, [UNIT, single_flight.run_unit(run_id)]):
            assert time.monotonic() < deadline, held
            time.sleep(0.01)


def running(rotation, url, run_id):
    """A run in a process of its own, whose calls take as long as LML takes."""
    return child("tests.wxyc_assets.rotation_identity.a_run", rotation.postgres.dsn, url, run_id)


def test_a_run_that_is_killed_is_finished_by_the_next_and_what_it_counted_is_what_it_wrote(rotation):
    def slowly(body):
        time.sleep(0.1)
        return minted(body)

    with minting(slowly) as lml:
        with running(rotation, lml.url, "killed") as process:
            while len(lml.asked) < 45:
                time.sleep(0.005)
                assert process.poll() is None
            process.kill()
            assert process.wait() == -signal.SIGKILL
        tallied = Counters.from_stored(rotation.tallied("killed"))
        assert 20 <= tallied.scanned == tallied.resolved == len(resolved_only(rotation)) < 60
        # The killed one's locks died with it: nobody waits.
        report = rotation.run(lml.url)
    assert report.verdict == "done", report.reason
    assert report.counters.resolved == 60 - tallied.resolved
    assert rotation.identities == ALL


def test_an_interrupted_run_ends_within_seconds_while_lml_hangs(rotation):
    with minting(minted) as lml, running(rotation, lml.url, "interrupted") as process:
        lml.say = lml.hang
        while not lml.asked:
            time.sleep(0.01)
            assert process.poll() is None
        time.sleep(0.1)
        before = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        assert time.monotonic() - before < 15
        assert b"KeyboardInterrupt" in process.stderr.read()
    assert rotation.rows("SELECT verdict, reason FROM wxyc_assets.run") == [("failed", "KeyboardInterrupt")]


def test_a_defect_fails_the_run_and_reaches_the_caller(rotation):
    class Broken:
        def resolve_identity(self, _release):
            return ResolvedIdentity.model_construct(identity_id="x", kind="release")

    with pytest.raises(TypeError):
        run(request(), rotation.tools(Broken()))
    (line,) = rotation.steps("failed")
    assert (line["level"], line["error_name"]) == ("error", "TypeError")
    assert rotation.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]


# Dry runs


def test_a_dry_run_asks_and_writes_nothing_and_says_how_the_rotation_stands_and_what_would_be_asked(rotation):
    rotation.add(100, None)
    rotation.add(101, 5, has=9)
    rotation.execute(
        "INSERT INTO wxyc_assets.quarantine (asset, input_id, kind, reason, payload_digest, run_id, wait_until) "
        "VALUES ('rotation_identity', 1, 'contract_violation', '', '', '', now() + interval '1 hour')"
    )
    before = rotation.everything()
    with minting(minted) as lml, single_flight.run_locks(rotation.postgres, "the-other-run") as locks:
        locks.take([UNIT])  # waits for nobody
        dry = rotation.run(lml.url, dry_run=True)
        assert lml.asked == []
    assert rotation.everything() == before
    assert (dry.verdict, dry.counters) == ("done", Counters(scanned=59, resolved_dry=59, resting=1))
    assert dry.dry_run_report == {
        "active": 62, "active_with_discogs": 61, "active_with_lml": 1, "resolvable_coverage_pct": 1.64,
        "would_ask": 59, "calls": 59, "resting": 1,
    }  # fmt: skip
    assert [(finding.name, finding.passed) for finding in dry.findings] == [("accounting_holds", True)]
    assert [line["step"] for line in rotation.lines] == ["init", "coverage_report", "finished"]
    assert rotation.steps("init")[0]["dry_run"] is rotation.steps("finished")[0]["dry_run"] is True
    with minting(minted) as lml:
        real = rotation.run(lml.url)
    assert real.counters.scanned == dry.counters.scanned
    assert real.counters.stored().keys() == dry.counters.stored().keys()


def test_the_dry_run_of_a_rotation_in_which_nothing_can_be_resolved_reports_numbers_only(empty):
    empty.add(1, None)
    report = empty.run("http://127.0.0.1:9", dry_run=True).dry_run_report
    assert report == {
        "active": 1, "active_with_discogs": 0, "active_with_lml": 0, "would_ask": 0, "calls": 0, "resting": 0,
    }  # fmt: skip
    assert all(isinstance(value, int | float) for value in report.values())
    assert empty.steps("coverage_report")[0]["resolvable_coverage_pct"] is None


# What it tells


def test_log_lines_have_the_contracts_steps_and_fields_in_compact_json(rotation):
    with minting(minted) as lml:
        report = rotation.run(lml.url)
    assert [line["step"] for line in rotation.lines] == ["init", "coverage_report", "finished"]
    assert ", " not in rotation.stream.getvalue()
    assert '": ' not in rotation.stream.getvalue()
    base = {"repo": "wxyc_assets", "tool": TOOL, "run_id": report.request.run_id}
    assert all(base.items() <= line.items() for line in rotation.lines)
    assert rotation.steps("init")[0]["dry_run"] is False
    (covered,) = rotation.steps("coverage_report")
    assert {
        "active": 60, "active_with_discogs": 60, "active_with_lml": 60, "resolvable_coverage_pct": 100.0,
    }.items() <= covered.items()  # fmt: skip
    (finished,) = rotation.steps("finished")
    contract = {"scanned": 60, "resolved": 60, "resolved_dry": 0, "unresolved": 0, "lml_error": 0, "raced": 0}
    assert contract.items() <= finished.items()
    assert finished["dry_run"] is False
    assert report.counters.stored().items() <= finished.items()


@pytest.mark.parametrize("dry_run", [False, True])
def test_the_run_is_a_span_of_the_contracts_name_and_attributes(rotation, dry_run):
    rotation.sentry, collector = watched_sentry()
    with minting(minted) as lml:
        rotation.run(lml.url, dry_run=dry_run)
    rotation.sentry.flush()
    (span,) = collector.spans
    said = {name: one["value"] for name, one in span["attributes"].items()}
    assert (span["name"], said["sentry.op"]) == ("rotation-lml-identity-backfill.run", "function")
    assert said["wxyc.backfill.dry_run"] is dry_run
    rotation.sentry.close()


def test_sentry_hears_once_of_each_kind_of_failure_and_not_of_calls_that_were_never_made(rotation):
    rotation.sentry, collector = watched_sentry()
    with minting(lambda _body: (500, {})) as lml:
        rotation.run(lml.url, client={"breaker_threshold": 2})
        lml.say = lambda _body: (401, {})
        rotation.run(lml.url)
    rotation.sentry.flush()
    assert [event["fingerprint"] for event in collector.events] == [
        [TOOL, "lml_error", "LmlServerError"],
        [TOOL, "lml_error", "LmlAuthError"],
    ]
    assert collector.events[0]["extra"]["first_rotation_id"] == 1
    rotation.sentry.close()


def test_progress_is_told_the_total_and_every_row_as_it_is_done(rotation):
    rotation.progress = bar = Told()
    with minting(minted) as lml:
        rotation.run(lml.url)
    assert bar.told == [("rotation_identity", 60, "rows"), 20, 20, 20, "finish"]


def test_no_secret_is_in_a_line(rotation):
    with minting(lambda _body: json.dumps({"message": "sandbox-key"}).encode()) as lml:
        rotation.run(lml.url)
    assert "sandbox-key" not in rotation.stream.getvalue()
