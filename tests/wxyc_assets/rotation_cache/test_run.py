"""A whole run, over real HTTP and a real database: what it asks, counts, says and leaves behind, whatever happens."""

import signal
import time
import uuid
from itertools import pairwise

import pytest

from resources.lml.models import Health, RefreshAnswer
from resources.postgres import Postgres
from tests.resources.lml import loopback
from tests.sentry_watch import watched_sentry
from tests.station_runs import Told, child, interrupt_while_lml_hangs
from tests.wxyc_assets.rotation_cache.warming_lml import GATE_SHA, all_warmed, mixed, said, source, warmed, warming
from tests.wxyc_assets.rotation_cache.warmings import FREE, Warmings, in_days, request, today
from wxyc_assets import single_flight
from wxyc_assets.pace import Pace
from wxyc_assets.revision import MigrationError
from wxyc_assets.rotation_cache.counters import TOTALS, Counters
from wxyc_assets.rotation_cache.plan import Batching
from wxyc_assets.rotation_cache.run import look, run
from wxyc_assets.sandbox.lml.faults import Fault

REFRESH = "refresh-for-identities"
A_RUN = "tests.wxyc_assets.rotation_cache.a_run"
ALL = list(range(101, 161))


def failing(report):
    return {finding.name for finding in report.findings if not finding.passed}


def counts(report, *names):
    return {name: getattr(report.counters, name) for name in names}


def totals(report):
    return [getattr(report.counters, name) for name in TOTALS]


def adds_up(rotation, report):
    """Every identity once, as the report, the ledger and the contract's sums have it."""
    counters = report.counters
    assert counters.identities_scanned == counters.identities_resolved + counters.lml_error
    assert counters.identities_resolved == counters.warmed + counters.not_found + counters.not_implemented
    assert rotation.tallied(report.request.run_id) == counters.stored()
    assert "accounting_holds" not in failing(report)


# What a run asks and counts


def test_every_identity_of_the_rotation_is_asked_about_once_in_chunks_with_the_key(rotation):
    with warming(all_warmed) as lml:
        report = rotation.run(lml.url, batching=Batching(25, 3))
    assert sorted(lml.asked) == [ALL[:25], ALL[25:50], ALL[50:]]
    assert all(list(body) == ["identity_ids"] for body in lml.bodies)
    assert {headers["Authorization"] for headers in lml.headers} == {"Bearer sandbox-key"}
    assert totals(report) == [60, 60, 60, 120, 0, 0, 0]
    assert (report.verdict, report.reason, failing(report)) == ("done", "", set())
    assert rotation.credited == [str(today())]
    assert counts(report, "batches", "lml_total_calls") == {"batches": 3, "lml_total_calls": 3}
    adds_up(rotation, report)


def test_each_status_and_each_source_is_tallied_as_the_contract_says(rotation):
    def answer(ids):
        answers = mixed(ids)
        for one in answers:
            if one["identity_id"] == 103:
                one["sources"] = None
            if one["identity_id"] == 104:
                one["sources"] = {"discogs": source(), "bandcamp": source(artists=()), "spotify": None}
            if one["identity_id"] == 105:
                one["sources"] = {"discogs": source("error", ("success", "error"))}
        return answers

    with warming(answer) as lml:
        report = rotation.run(lml.url)
    # 42 are warmed: 39 with a release and two artists, one with nothing, one with two and one, one with none and one.
    assert totals(report) == [60, 54, 41, 80, 6, 6, 6]
    assert counts(report, "warmed", "batch_error", "unknown_status") == {
        "warmed": 42, "batch_error": 0, "unknown_status": 0,
    }  # fmt: skip
    assert failing(report) == {"error_rate_healthy", "not_found_rate"}
    adds_up(rotation, report)


def test_a_rotation_without_identities_is_done_without_a_call_and_credited(empty):
    empty.add(None)
    with warming(all_warmed) as lml:
        report = empty.run(lml.url)
    assert (lml.asked, report.verdict, totals(report)) == ([], "done", [0] * 7)
    assert empty.credited == [str(today())]
    adds_up(empty, report)


def test_the_stations_tables_are_not_touched(rotation):
    before = {name: rows for name, rows in rotation.everything().items() if not name.startswith("wxyc_assets.")}
    with warming(mixed) as lml:
        rotation.run(lml.url)
    after = rotation.everything()
    assert {name: after[name] for name in before} == before


# Answers that are not as they should be


def test_an_unknown_status_is_an_error_and_told_once_a_batch(rotation):
    def thaw(ids):
        return [said(one, "thawed" if one % 2 else "frozen") if one < 115 else warmed(one) for one in ids]

    with warming(thaw) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "lml_error", "unknown_status", "warmed") == {
        "lml_error": 14, "unknown_status": 14, "warmed": 46,
    }  # fmt: skip
    lines = rotation.steps("unknown_status")
    assert [(line["level"], line["status"]) for line in lines] == [("warn", "thawed"), ("warn", "frozen")] * 2
    assert report.verdict == "done"
    adds_up(rotation, report)


@pytest.mark.parametrize(
    ("damage", "missing", "untrusted"),
    [
        (lambda answers: answers[:-1], 1, 0),
        (lambda _answers: [], 10, 0),
        (lambda answers: [*answers, warmed(999)], 0, 1),
        (lambda answers: [*answers, answers[0]], 0, 1),
        (lambda answers: [*answers[:-1], warmed(999)], 1, 1),
        (lambda answers: [answers[0]] * len(answers), 9, 9),
        (lambda answers: [None, *answers[1:]], 1, 1),
        (lambda answers: [None] * len(answers), 10, 10),
        (lambda answers: [warmed(one["identity_id"] + 1000) for one in answers], 10, 10),
    ],
    ids=["short", "empty", "surplus", "repeated", "foreign", "all the same", "a null", "all null", "all foreign"],
)
def test_a_damaged_list_costs_those_it_leaves_out_and_is_never_taken_for_success(rotation, damage, missing, untrusted):
    with warming(lambda ids: damage(all_warmed(ids)) if 101 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "warmed", "lml_error", "answer_missing", "answers_untrusted", "batch_error") == {
        "warmed": 60 - missing, "lml_error": missing, "answer_missing": missing, "answers_untrusted": untrusted,
        "batch_error": 0,
    }  # fmt: skip
    assert "answers_trusted" in failing(report)
    assert report.verdict == "anomaly"
    assert rotation.credited == [str(today())]
    (line,) = rotation.steps("answers_untrusted")
    assert (line["level"], line["batch_size"], line["missing"], line["untrusted"]) == ("warn", 10, missing, untrusted)
    adds_up(rotation, report)


def test_answers_in_another_order_are_no_mismatch(rotation):
    with warming(lambda ids: mixed(ids)[::-1]) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "warmed", "answers_untrusted") == {"warmed": 42, "answers_untrusted": 0}
    assert "answers_trusted" not in failing(report)


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b"[]",
        b'"ok"',
        b"{}",
        b'{"results": null}',
        b'{"results": {}}',
        b'{"results": "warmed"}',
        b'{"results": 7}',
    ],
)
def test_an_answer_without_a_list_loses_its_batch_and_is_told_as_malformed(rotation, body):
    with warming(lambda ids: body if 101 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "lml_error", "batch_error", "warmed") == {"lml_error": 10, "batch_error": 10, "warmed": 50}
    (line,) = rotation.steps("malformed_response")
    assert (line["level"], line["batch_size"]) == ("warn", 10)
    assert "error_message" not in line
    assert rotation.steps("batch_error") == []
    assert report.verdict == "anomaly"
    adds_up(rotation, report)


@pytest.mark.parametrize(
    ("answer", "retryable"),
    [
        ((500, {}), True),
        ((502, {}), True),
        ((503, {}), True),
        ((504, {}), True),
        ((429, {}), True),
        ((400, {}), False),
        ((404, {}), False),
        ((422, {}), False),
        ((499, {}), False),
        (b"<html>", True),
    ],
    ids=str,
)
def test_a_failed_call_loses_its_batch_and_says_whether_another_try_can_help(rotation, answer, retryable):
    with warming(lambda ids: answer if 121 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "identities_scanned", "lml_error", "batch_error", "not_found") == {
        "identities_scanned": 60, "lml_error": 10, "batch_error": 10, "not_found": 0,
    }  # fmt: skip
    (line,) = rotation.steps("batch_error")
    assert (line["level"], line["batch_size"], line["retryable"]) == ("warn", 10, retryable)
    assert line["error_message"]
    assert rotation.steps("malformed_response") == []
    assert (report.verdict, rotation.credited) == ("anomaly", [str(today())])
    assert "LML did not answer for 10 identities" in report.reason
    adds_up(rotation, report)


def test_a_batch_that_hangs_is_given_up_and_costs_no_other(rotation):
    with warming(lambda ids: lml.hang(ids) if 101 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url, client={"timeouts_s": {"refresh_for_identities": 0.3}})
    assert counts(report, "batch_error", "warmed") == {"batch_error": 10, "warmed": 50}
    assert "0.3 s" in rotation.steps("batch_error")[0]["error_message"]


def test_an_lml_that_is_down_for_all_of_it_fails_the_run_which_counts_every_identity(rotation):
    with warming(lambda _ids: (500, {})) as lml:
        report = rotation.run(lml.url, client={"breaker_threshold": 3}, batching=Batching(10, 1))
    assert len(lml.asked) == report.counters.lml_total_calls == 3  # then it is left alone
    assert totals(report) == [60, 0, 0, 0, 0, 0, 60]
    assert (report.verdict, rotation.credited) == ("failed", [])
    assert "LML answered for none of the 60 identities" in report.reason
    assert rotation.stale == []
    assert [line["step"] for line in rotation.lines[-2:]] == ["done", "failed"]
    adds_up(rotation, report)


def test_a_refused_key_is_not_tried_again_for_every_batch(rotation):
    with warming(lambda _ids: (401, {})) as lml:
        report = rotation.run(lml.url, batching=Batching(10, 1))
    assert (len(lml.asked), report.verdict) == (1, "failed")
    assert report.counters.batch_error == 60


@pytest.mark.parametrize("kind", ["short", "long", "foreign", "duplicated", "null_item", "swapped"])
def test_the_sandboxes_damages_are_survived(rotation, sandbox, kind):
    rotation.local_dev = True  # or the probe would meet the damage
    sandbox.faults.arm(Fault(endpoint=REFRESH, kind=kind, count=1))
    report = rotation.run(sandbox.url)
    assert report.counters.identities_scanned == 60
    assert report.counters.answer_missing == (kind not in {"long", "swapped"})
    assert ("answers_trusted" in failing(report)) == (kind != "swapped")
    adds_up(rotation, report)


# What LML does not know


def test_what_lml_does_not_know_is_on_record_until_it_does_and_is_asked_about_all_the_same(rotation):
    with warming(mixed) as lml:
        for _ in range(4):
            rotation.run(lml.url)
        assert rotation.stale == [(one, 4, False, False) for one in range(110, 170, 10)]
        lml.say = lambda ids: [said(one, "not_implemented") if one == 110 else said(one, "error") if one == 120 else warmed(one)
                               for one in ids]  # fmt: skip
        lml.asked.clear()
        rotation.run(lml.url)
    assert sorted(one for call in lml.asked for one in call) == ALL  # none of them rests
    over = {one: resolved for one, _, _, resolved in rotation.stale}
    assert over == {110: True, 120: False, 130: True, 140: True, 150: True, 160: True}  # an error says nothing


def test_the_rate_of_the_last_day_counts_all_runs_and_is_logged_once_a_run(rotation):
    with warming(mixed) as lml:
        first = rotation.run(lml.url)
        lml.say = all_warmed
        again = rotation.run(lml.url)
        rotation.execute("UPDATE wxyc_assets.tally SET updated_at = updated_at - interval '24 hours'")
        later = rotation.run(lml.url)
    (stale,) = [finding for finding in first.findings if finding.name == "not_found_rate"]
    assert stale.numbers["stale_identity_ids"] == list(range(110, 170, 10))
    assert (stale.numbers["numerator"], stale.numbers["denominator"]) == (6, 54)
    assert first.verdict == "anomaly"
    assert failing(again) == {"not_found_rate"}  # 6 of 114, although no identity is stale now
    assert (again.verdict, later.verdict, failing(later)) == ("anomaly", "done", set())
    assert "6 of the 54" in stale.description
    assert [line["numerator"] for line in rotation.steps("not_found_rate")] == [6, 6]


def test_lost_batches_move_the_rate_neither_way(rotation):
    with warming(lambda ids: (500, {}) if 101 in ids else all_warmed(ids)) as lml:
        report = rotation.run(lml.url)
    (rate,) = [finding for finding in report.findings if finding.name == "not_found_rate"]
    assert rate.passed
    assert (rate.numbers["denominator"], rate.numbers["identities_scanned"]) == (50, 60)


# Whether it may begin


@pytest.mark.parametrize(
    "days",
    [[str(in_days(-1))], [str(in_days(1))], [str(in_days(-1)), str(today())], [str(in_days(d)) for d in range(-9, 1)]],
)
def test_another_day_is_refused_with_the_reason_and_nothing_is_done(rotation, days):
    with warming(all_warmed) as lml:
        report = rotation.run(lml.url, days=days)
    assert (lml.asked, lml.health_asked) == ([], 0)
    assert (report.verdict, rotation.credited, report.findings) == ("failed", [], [])
    assert report.reason.count("only the cache of today") == 1  # one refusal for all of them
    assert "yesterday's cannot be warmed any more" in report.reason
    assert days[0] in report.reason
    assert rotation.rows("SELECT FROM wxyc_assets.tally") == []
    assert rotation.rows("SELECT verdict, reason FROM wxyc_assets.run") == [("failed", report.reason)]
    (line,) = rotation.steps("failed")
    assert line["error_message"] == report.reason


def test_a_closed_gate_fails_the_run_before_anything_is_read_or_asked(rotation):
    with warming(all_warmed) as lml:
        lml.health = (503, {})
        report = rotation.run(lml.url)
    assert lml.asked == []
    assert (report.verdict, rotation.credited) == ("failed", [])
    assert "the deploy gate is closed" in report.reason
    assert failing(report) == {"deploy_gate_open"}
    assert [finding.name for finding in report.findings] == ["deploy_gate_open"]
    assert rotation.rows("SELECT FROM wxyc_assets.tally") == []
    assert [line["step"] for line in rotation.lines] == ["init", "deploy_guard", "failed"]
    (line,) = rotation.steps("deploy_guard")
    assert (line["level"], line["error_name"]) == ("error", "DeployGuardError")
    assert "503" in line["error_message"]


def test_an_open_gate_says_which_commit_and_why(rotation):
    with warming(all_warmed) as lml:
        rotation.run(lml.url)
    (line,) = rotation.steps("deploy_guard")
    assert (line["level"], line["commit_sha"]) == ("info", GATE_SHA + "0" * 33)
    assert line["reason"]


def test_another_commit_is_compared_before_anything_is_asked(rotation):
    with warming(all_warmed) as lml, loopback.serving() as github:
        rotation.github = github.url
        lml.health = {"status": "healthy", "commit_sha": "f00d"}
        github.always = loopback.answer({"status": "behind"})
        refused = rotation.run(lml.url)
        assert lml.asked == []
        github.always = loopback.answer({"status": "ahead"})
        report = rotation.run(lml.url)
    assert (refused.verdict, report.verdict) == ("failed", "done")


def test_the_sandbox_that_names_no_commit_is_probed_and_does_no_work_for_it(rotation, sandbox):
    report = rotation.run(sandbox.url)
    assert report.ruling.is_open
    assert (report.ruling.commit_sha, report.counters.identities_scanned) == (None, 60)
    assert "422" in report.ruling.reason


def test_two_runs_of_one_day_never_work_at_the_same_time(rotation):
    with single_flight.run_locks(rotation.postgres, "the-other-run") as locks, warming(all_warmed) as lml:
        locks.take([single_flight.unit("rotation_cache", str(today()))])
        report = rotation.run(lml.url)
        assert (lml.asked, lml.health_asked) == ([], 0)
    assert (report.verdict, rotation.credited) == ("failed", [])
    assert "the-other-run" in report.reason
    assert rotation.rows("SELECT FROM wxyc_assets.tally") == []


def test_a_run_holds_its_day_while_it_asks(rotation):
    held = []
    unit = single_flight.unit("rotation_cache", str(today()))

    def look_at_locks(ids):
        with rotation.postgres.connect() as connection:
            held.append(single_flight.held_units(connection, [unit]))
        return all_warmed(ids)

    with warming(look_at_locks) as lml:
        rotation.run(lml.url)
    assert held
    assert all(one == {unit} for one in held)
    with rotation.postgres.connect() as connection:
        assert single_flight.held_units(connection, [unit]) == set()


def test_a_database_without_our_schema_says_so_and_nobody_is_asked(database):
    with warming(all_warmed) as lml, pytest.raises(MigrationError):
        Warmings(Postgres(database)).run(lml.url)
    assert (lml.asked, lml.health_asked) == ([], 0)


# The budget and the pace


def test_no_more_batches_are_asked_at_once_than_may_be_in_flight(rotation):
    under_way, most = set(), 0

    def look_around(ids):
        nonlocal most
        under_way.add(ids[0])
        most = max(most, len(under_way))
        time.sleep(0.03)
        under_way.discard(ids[0])
        return all_warmed(ids)

    with warming(look_around) as lml:
        rotation.run(lml.url, batching=Batching(4, 3))
    assert most == 3


def test_every_call_is_reserved_from_the_stations_budget_by_what_it_is_expected_to_cost(rotation):
    timeout = {"timeouts_s": {"refresh_for_identities": 0.1}}  # after which LML may have used all of it
    with warming(lambda ids: lml.hang(ids)) as lml:  # noqa: PLW0108 - there is no lml before
        rotation.run(lml.url, batching=Batching(50, 1), per_minute=1e6, client={"cost_refresh_id": 4, **timeout})
    ((used,),) = rotation.rows("SELECT recent_cost FROM wxyc_assets.budget")
    assert used == [200, 40]


def test_what_the_run_still_expects_to_cost_is_on_record_and_goes_down(rotation):
    seen = []

    def look_at_ledger(ids):
        seen.append(rotation.rows("SELECT discogs_calls_left FROM wxyc_assets.run")[0][0])
        return all_warmed(ids)

    with warming(look_at_ledger) as lml:
        rotation.run(lml.url, batching=Batching(10, 1), pace=Pace(1e9, 4))
    assert seen[0] == 240
    assert all(before >= after for before, after in pairwise(seen))
    assert seen[-1] <= 80
    assert rotation.rows("SELECT discogs_calls_left FROM wxyc_assets.run") == [(0,)]


def test_a_thousand_identities_at_200_ms_a_call_are_warmed_within_three_seconds(empty):
    empty.execute(
        "INSERT INTO rotation (rotation_bin, artist_name, lml_identity_id) "
        "SELECT 'M', 'Jessica Pratt', i FROM generate_series(1, 1000) AS i"
    )

    def slowly(ids):
        time.sleep(0.2)
        return all_warmed(ids)

    with warming(slowly) as lml:
        began = time.monotonic()
        report = empty.run(lml.url, batching=Batching.within(FREE, 3))
        took_s = time.monotonic() - began
    assert (report.counters.warmed, report.counters.batches) == (1000, 20)
    assert took_s < 3


# Dry runs


def test_a_dry_run_asks_the_gate_and_nobody_for_work_and_says_what_a_real_one_would_take(rotation):
    rotation.execute("UPDATE wxyc_assets.budget SET tat = now() + interval '30 s'")
    before = rotation.everything()
    with warming(all_warmed) as lml, single_flight.run_locks(rotation.postgres, "the-other-run") as locks:
        locks.take([single_flight.unit("rotation_cache", str(today()))])  # waits for nobody
        dry = rotation.run(lml.url, dry_run=True, pace=Pace(30, 4), batching=Batching.within(Pace(30, 4), 3))
        assert (lml.asked, lml.health_asked) == ([], 1)
    assert rotation.everything() == before
    assert (dry.verdict, rotation.credited) == ("done", [])
    assert dry.counters == Counters(identities_scanned=60)
    assert {finding.name: finding.passed for finding in dry.findings} == {
        "deploy_gate_open": True, "accounting_holds": True,
    }  # fmt: skip
    report = dict(dry.dry_run_report)
    assert report.pop("budget_backlog_s") == pytest.approx(30, abs=2)
    assert report == {
        "identities_scanned": 60, "batch_count": 20, "calls": 20, "discogs_calls": 240, "budget_ours_s": 480,
    }  # fmt: skip
    assert [line["step"] for line in rotation.lines] == ["init", "deploy_guard", "plan", "dry_run", "done"]
    (line,) = rotation.steps("dry_run")
    assert (line["identities_scanned"], line["batch_count"]) == (60, 20)
    assert line["budget_done_at"] > line["timestamp"]
    assert rotation.steps("done")[0]["dry_run"] is True


def test_a_dry_run_meets_the_same_gate_and_the_same_refusal_of_other_days(rotation):
    with warming(all_warmed) as lml:
        other_day = rotation.run(lml.url, dry_run=True, days=[str(in_days(-1))])
        lml.health = (500, {})
        closed = rotation.run(lml.url, dry_run=True)
    assert (other_day.verdict, closed.verdict) == ("failed", "failed")
    assert rotation.rows("SELECT FROM wxyc_assets.run") == []


# What it tells


def test_log_lines_have_the_contracts_steps_and_fields_in_compact_json(rotation):
    with warming(mixed) as lml:
        report = rotation.run(lml.url, batching=Batching(7, 2))
    assert [line["step"] for line in rotation.lines] == ["init", "deploy_guard", "plan", "not_found_rate", "done"]
    base = {"repo": "wxyc_assets", "tool": "rotation-artist-backfill", "run_id": report.request.run_id}
    assert all(base.items() <= line.items() for line in rotation.lines)
    assert ", " not in rotation.stream.getvalue().replace(rotation.steps("deploy_guard")[0]["reason"], "")
    plan = {"identity_count": 60, "batch_count": 9, "batch_cap": 50, "concurrency": 2, "dry_run": False}
    assert plan.items() <= rotation.steps("plan")[0].items()
    done = dict(zip(TOTALS, totals(report), strict=True)) | {"dry_run": False}
    assert done.items() <= rotation.steps("done")[0].items()


def test_progress_counts_identities(rotation):
    rotation.progress = Told()
    with warming(all_warmed) as lml:
        rotation.run(lml.url, batching=Batching(25, 3))
    assert rotation.progress.told == [("rotation_cache", 60, "identities"), 25, 25, 10, "finish"]


def test_sentry_hears_of_failed_calls_once_and_not_of_those_that_were_never_made(rotation):
    rotation.sentry, collector = watched_sentry()
    with warming(lambda _ids: (500, {})) as lml:
        rotation.run(lml.url, client={"breaker_threshold": 2}, batching=Batching(10, 1))
        lml.say = lambda _ids: b"null"
        rotation.run(lml.url, batching=Batching(50, 1))
    rotation.sentry.flush()
    assert [event["fingerprint"][1:] for event in collector.events] == [
        *[["batch_error", "LmlServerError"]] * 2,
        *[["malformed_response", "LmlBrokenAnswer"]] * 2,
    ]
    rotation.sentry.close()


def test_the_checks_that_need_no_run_can_be_looked_at_alone(rotation):
    with warming(mixed) as lml, rotation.lml(lml.url) as client:
        rotation.run(lml.url)
        lml.asked.clear()
        before = rotation.everything()
        found = look({"deploy_gate_open", "not_found_rate", "accounting_holds"}, rotation.tools(client))
        lml.health = (503, {})
        (gate,) = look({"deploy_gate_open"}, rotation.tools(client))
        (rate,) = look({"not_found_rate"}, rotation.tools(client))
    assert {finding.name: finding.passed for finding in found} == {"deploy_gate_open": True, "not_found_rate": False}
    assert (gate.passed, rate.numbers["numerator"]) == (False, 6)
    assert lml.asked == []
    assert rotation.everything() == before


# Runs that are stopped


def test_a_run_that_is_killed_kept_what_it_counted_and_the_next_one_warms_all(rotation):
    def slowly(ids):
        time.sleep(0.05)
        return mixed(ids)

    run_id = str(uuid.uuid4())
    with warming(slowly) as lml:
        with child(A_RUN, rotation.postgres.dsn, lml.url, run_id) as process:
            while len(lml.asked) < 12 and process.poll() is None:
                time.sleep(0.005)
            process.kill()
            assert process.wait() == -signal.SIGKILL
        killed = Counters.from_stored(rotation.tallied(run_id))
        assert 0 < killed.identities_scanned < 60
        assert killed.identities_scanned == killed.accounted == killed.identities_resolved + killed.lml_error
        assert [one for one, *_ in rotation.stale] == list(range(110, 101 + killed.identities_scanned, 10))
        left = rotation.rows("SELECT ended_at, discogs_calls_left FROM wxyc_assets.run")
        assert left == [(None, (60 - killed.identities_scanned) * 4)]
        lml.asked.clear()
        report = rotation.run(lml.url)  # its lock died with it: nobody waits
    assert sorted(one for call in lml.asked for one in call) == ALL
    assert report.counters.identities_scanned == 60
    adds_up(rotation, report)


def test_an_interrupted_run_ends_within_seconds_while_lml_hangs(rotation):
    with warming(all_warmed) as lml, child(A_RUN, rotation.postgres.dsn, lml.url, "interrupted") as process:
        assert interrupt_while_lml_hangs(process, lml) < 5
    assert rotation.rows("SELECT verdict, reason FROM wxyc_assets.run") == [("failed", "KeyboardInterrupt")]


def test_a_database_that_goes_away_fails_the_run_which_keeps_what_it_committed(rotation):
    def pull_the_plug(ids):
        if ids[0] == 131:
            rotation.kill_sessions()
        return all_warmed(ids)

    with warming(pull_the_plug) as lml:
        report = rotation.run(lml.url, batching=Batching(10, 1))
    assert (report.verdict, rotation.credited) == ("failed", [])
    assert "database" in report.reason
    assert 0 < report.counters.identities_scanned < 60
    assert rotation.tallied(report.request.run_id) == report.counters.stored()
    assert "accounting_holds" not in failing(report)  # of a walk that was cut short it says nothing
    assert len(lml.asked) < 6


class Broken:
    """An LML whose client has a defect."""

    def health(self):
        health = Health(commit_sha=GATE_SHA)
        health.record_effort(calls=1, latency_ms=1, http_status=200)
        return health

    def probe(self):
        raise AssertionError

    def refresh_for_identities(self, identity_ids):
        return RefreshAnswer.model_construct(results=all_warmed(identity_ids) if 101 in identity_ids else 7)


def test_a_defect_fails_the_run_and_reaches_the_caller(rotation):
    with pytest.raises(TypeError):
        run(request(), rotation.tools(Broken()), rotation.credited.append)
    (line,) = rotation.steps("failed")
    assert (line["level"], line["error_name"]) == ("error", "TypeError")
    assert rotation.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]
    assert rotation.credited == []
