"""Whole runs over real HTTP into a real database: requests, rows, counters, log lines and the span."""

from typing import Any

import pytest

from resources.lml.models import ResolvedIdentity
from resources.postgres import Postgres
from tests.run_harness import failed_checks
from tests.sentry_watch import watched_sentry
from tests.wxyc_assets.assets.rotation_identity.fake_lml import identity_of, minted, release, serve_identities
from tests.wxyc_assets.assets.rotation_identity.harness import (
    IDENTITIES,
    TOOL,
    UNIT,
    RotationIdentityRuns,
    counts,
    in_days,
    request,
    today,
)
from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.run import run
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.runs import advisory_locks


def test_every_resolvable_row_is_asked_once_and_resolved(rotation):
    with serve_identities(minted) as lml:
        report = rotation.run(lml.url)
    assert sorted(release(body) for body in lml.asked) == list(range(1001, 1061))
    assert rotation.identities == IDENTITIES
    assert counts(report, "scanned", "resolved", "lml_total_calls") == {
        "scanned": 60, "resolved": 60, "lml_total_calls": 60,
    }  # fmt: skip
    assert (report.verdict, report.reason, failed_checks(report)) == ("done", "", set())
    rotation.assert_adds_up(report)
    assert rotation.rows("SELECT asset, origin, verdict, reason FROM wxyc_assets.run") == [
        ("rotation_identity", "explicit", "done", None)
    ]
    assert rotation.rows("SELECT partition_key, complete FROM wxyc_assets.tally") == [("all", True)]


def test_each_request_has_exactly_the_contracts_fields(rotation):
    with serve_identities(minted) as lml:
        rotation.run(lml.url)
    for body, headers in zip(lml.asked, lml.headers, strict=True):
        assert body == {"kind": "release", "source": "discogs_release", "external_id": body["external_id"]}
        assert body["external_id"].isdigit()
        assert headers["Authorization"] == "Bearer sandbox-key"
        assert not [name for name in headers if name.lower().startswith("x-caller")]


def test_ineligible_rows_are_left_unchanged(empty_rotation):
    empty_rotation.add(1, 11, kill=today())
    empty_rotation.add(2, None)
    empty_rotation.add(3, 13, has=7)
    empty_rotation.add(4, 14, kill=in_days(1))
    with serve_identities(minted) as lml:
        report = empty_rotation.run(lml.url)
    assert empty_rotation.identities == {1: None, 2: None, 3: 7, 4: identity_of(14)}
    assert (report.counters.scanned, len(lml.asked)) == (1, 1)


def test_two_rows_of_one_release_get_the_same_identity(empty_rotation):
    empty_rotation.add(1, 11)
    empty_rotation.add(2, 11)
    with serve_identities(minted) as lml:
        report = empty_rotation.run(lml.url)
    assert (empty_rotation.identities, report.counters.resolved) == ({1: identity_of(11), 2: identity_of(11)}, 2)


def test_a_rotation_without_candidates_is_done_without_a_call(empty_rotation):
    empty_rotation.add(1, 11, has=7)
    with serve_identities(minted) as lml:
        report = empty_rotation.run(lml.url)
    assert (lml.asked, report.verdict, report.counters) == ([], "done", Counters())
    assert empty_rotation.rows("SELECT complete FROM wxyc_assets.tally") == [(True,)]


def test_a_second_run_asks_only_about_the_remaining_rows(rotation):
    with serve_identities(lambda body: minted(body) if release(body) != 1007 else (422, {})) as lml:
        rotation.run(lml.url)
        lml.asked.clear()
        again = rotation.run(lml.url)
    assert [release(body) for body in lml.asked] == [1007]
    assert counts(again, "scanned", "unresolved") == {"scanned": 1, "unresolved": 1}


def test_a_run_against_the_sandbox_lml_resolves_every_row(rotation, sandbox):
    report = rotation.run(sandbox.url)
    assert (report.verdict, len(set(rotation.identities.values()))) == ("done", 60)


def test_a_missing_schema_is_refused_before_any_call(database):
    rotation = RotationIdentityRuns(Postgres(database))
    with serve_identities(minted) as lml, pytest.raises(MigrationError, match="wxyc migrate"):
        rotation.run(lml.url)
    assert lml.asked == []
    assert [line["step"] for line in rotation.lines] == ["init", "failed"]


def test_answer_that_the_code_cannot_handle_quarantines_its_row(rotation):
    class Broken:
        def resolve_identity(self, _release):
            unvalidated: dict[str, Any] = {"identity_id": "x", "kind": "release"}
            return ResolvedIdentity.model_construct(**unvalidated)

    report = run(request(), rotation.tools(Broken()))
    assert (report.counters.contract_violation, report.counters.resolved, report.verdict) == (60, 0, "anomaly")
    assert {reason.partition(":")[0] for (reason,) in rotation.rows("SELECT reason FROM wxyc_assets.quarantine")} == {
        "TypeError"
    }


def test_a_dry_run_calls_and_writes_nothing_and_reports_the_plan(rotation):
    """It reports the coverage and what would be asked, without waiting for the lock of another run."""
    rotation.add(100, None)
    rotation.add(101, 5, has=9)
    rotation.execute(
        "INSERT INTO wxyc_assets.quarantine (asset, input_id, kind, reason, payload_digest, run_id, wait_until) "
        "VALUES ('rotation_identity', 1, 'contract_violation', '', '', '', now() + interval '1 hour')"
    )
    before = rotation.everything()
    with serve_identities(minted) as lml, advisory_locks.run_locks(rotation.postgres, "the-other-run") as locks:
        locks.take([UNIT])
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
    with serve_identities(minted) as lml:
        real = rotation.run(lml.url)
    assert real.counters.scanned == dry.counters.scanned
    assert real.counters.stored().keys() == dry.counters.stored().keys()


def test_a_dry_run_reports_only_numbers(empty_rotation):
    empty_rotation.add(1, None)
    report = empty_rotation.run("http://127.0.0.1:9", dry_run=True).dry_run_report
    assert report == {
        "active": 1, "active_with_discogs": 0, "active_with_lml": 0, "would_ask": 0, "calls": 0, "resting": 0,
    }  # fmt: skip
    assert all(isinstance(value, int | float) for value in report.values())
    assert empty_rotation.steps("coverage_report")[0]["resolvable_coverage_pct"] is None


def test_log_lines_are_compact_json_with_the_contracts_fields(rotation):
    with serve_identities(minted) as lml:
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
def test_a_run_is_a_span_with_the_contracts_name_and_attributes(rotation, dry_run):
    rotation.sentry, collector = watched_sentry()
    with serve_identities(minted) as lml:
        rotation.run(lml.url, dry_run=dry_run)
    rotation.sentry.flush()
    (span,) = collector.spans
    attributes = {name: one["value"] for name, one in span["attributes"].items()}
    assert (span["name"], attributes["sentry.op"]) == ("rotation-lml-identity-backfill.run", "function")
    assert attributes["wxyc.backfill.dry_run"] is dry_run
    rotation.sentry.close()
