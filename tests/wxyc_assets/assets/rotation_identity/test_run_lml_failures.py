"""Runs against an LML that fails, refuses or answers wrongly."""

from typing import Any

import pytest

from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.rotation_identity.fake_lml import minted, release, serve_identities
from tests.wxyc_assets.assets.rotation_identity.harness import IDENTITIES, counts
from wxyc_assets.assets.rotation_identity import lml_requests
from wxyc_assets.assets.rotation_identity.verdicts import classify
from wxyc_assets.sandbox.lml.faults import Fault


def test_a_release_without_an_identity_is_unresolved(rotation):
    with serve_identities(lambda body: (422, {}) if release(body) <= 1002 else minted(body)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "resolved", "unresolved", "lml_error") == {"resolved": 58, "unresolved": 2, "lml_error": 0}
    assert rotation.resolved == {i: IDENTITIES[i] for i in range(3, 61)}
    assert (report.verdict, report.reason) == ("anomaly", "failed checks: coverage_of_resolvable")
    (finding,) = [one for one in report.findings if not one.passed]
    assert finding.numbers == {
        "active": 60, "active_with_discogs": 60, "active_with_lml": 58, "resolvable_coverage_pct": 96.67,
    }  # fmt: skip
    assert finding.description.endswith("the first rotation ids without: 1, 2")
    assert (rotation.quarantined, rotation.steps("lml_error")) == ([], [])
    rotation.assert_adds_up(report)


@pytest.mark.parametrize(
    ("answer", "calls"),
    [((500, {}), 2), ((503, {}), 2), ((429, {}), 2), ((404, {}), 1), (b"<html>", 2)],
    ids=str,
)
def test_a_failed_call_is_an_lml_error_of_its_row_alone(rotation, answer, calls):
    with serve_identities(lambda body: answer if release(body) == 1005 else minted(body)) as lml:
        report = rotation.run(lml.url, client={"attempts": 2})
        assert counts(report, "scanned", "resolved", "lml_error") == {"scanned": 60, "resolved": 59, "lml_error": 1}
        assert report.counters.lml_total_calls == len(lml.asked) == 59 + calls
        assert rotation.resolved == {i: identity for i, identity in IDENTITIES.items() if i != 5}
        assert report.verdict == "anomaly"
        assert report.reason.startswith("LML did not answer for 1 rows, which the next run asks again")
        assert rotation.quarantined == []
        (line,) = rotation.steps("lml_error")
        assert (line["rows"], line["first_rotation_id"], line["level"]) == (1, 5, "warn")
        assert line["error_message"].startswith("Lml")
        rotation.assert_adds_up(report)
        lml.say = minted
        assert rotation.run(lml.url).verdict == "done"


@pytest.mark.parametrize("status", [400, 413])
def test_row_that_lml_refuses_is_quarantined_and_rests(rotation, status):
    with serve_identities(lambda body: (status, {}) if release(body) == 1005 else minted(body)) as lml:
        report = rotation.run(lml.url)
        assert counts(report, "resolved", "contract_violation", "lml_error") == {
            "resolved": 59, "contract_violation": 1, "lml_error": 0,
        }  # fmt: skip
        assert report.verdict == "anomaly"
        assert failed_checks(report) >= {"contract_violations_zero"}
        for _ in range(2):
            rotation.run(lml.url)
        resting = rotation.run(lml.url)
    assert (resting.counters.scanned, resting.counters.resting) == (0, 1)


def test_row_whose_answer_breaks_the_code_is_quarantined(rotation, monkeypatch):
    def broken(candidate, answer):
        if candidate.discogs_release_id == 1005:
            raise RecursionError("too deep")
        return classify(candidate, answer)

    monkeypatch.setattr(lml_requests, "classify", broken)
    with serve_identities(minted) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "resolved", "contract_violation") == {"resolved": 59, "contract_violation": 1}


def test_a_malformed_answer_is_an_lml_error_of_its_row_alone(rotation):
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
    with serve_identities(lambda body: nonsense.get(release(body) - 1000) or minted(body)) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "lml_error", "contract_violation") == {"lml_error": len(nonsense), "contract_violation": 0}
    assert rotation.resolved == {i: identity for i, identity in IDENTITIES.items() if i not in nonsense}
    assert rotation.quarantined == []
    rotation.assert_adds_up(report)


def test_a_429_is_retried_without_losing_a_row(rotation, sandbox):
    sandbox.faults.arm(Fault(endpoint="identity-resolve", kind="rate_limited", retry_after_s=0))
    report = rotation.run(sandbox.url, client={"attempts": 2})
    assert (report.verdict, report.counters.resolved, report.counters.lml_total_calls) == ("done", 60, 61)


@pytest.mark.parametrize("kind", ["hang", "disconnect", "broken_json", "drip"])
def test_a_call_that_breaks_or_hangs_costs_only_its_row(rotation, sandbox, kind):
    sandbox.faults.arm(Fault(endpoint="identity-resolve", kind=kind, after=7, latency_ms=200))
    report = rotation.run(sandbox.url, client={"timeouts_s": {"resolve_identity": 2.0}})
    assert counts(report, "scanned", "resolved", "lml_error") == {"scanned": 60, "resolved": 59, "lml_error": 1}
    assert report.verdict == "anomaly"
    rotation.assert_adds_up(report)


def test_an_impossible_identity_is_quarantined_and_never_written(rotation):
    changed: dict[int, tuple[dict[str, Any], str]] = {
        3: ({"identity_id": 0}, "identity_id 0,"),
        4: ({"identity_id": -5}, "identity_id -5,"),
        5: ({"identity_id": 2**31}, "identity_id 2147483648,"),
        6: ({"identity_id": 2**63}, "identity_id 9223372036854775808,"),
        7: ({"kind": "artist"}, "kind 'artist'"),
        8: ({"kind": "nul \0 \ud800"}, "kind 'nul "),
    }
    with serve_identities(lambda body: minted(body, **changed.get(release(body) - 1000, ({}, ""))[0])) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "resolved", "contract_violation", "lml_error") == {
        "resolved": 54, "contract_violation": 6, "lml_error": 0,
    }  # fmt: skip
    assert rotation.resolved == {i: identity for i, identity in IDENTITIES.items() if i not in changed}
    assert rotation.quarantined == [(i, "contract_violation", 1, False, False) for i in changed]
    kept = rotation.rows("SELECT input_id, reason, payload_digest FROM wxyc_assets.quarantine ORDER BY 1")
    lines = rotation.steps("contract_violation")
    for (rotation_id, reason, _), line in zip(kept, lines, strict=True):
        problem = changed[rotation_id][1]
        assert problem in reason
        assert problem in line["error_message"]
        assert (line["rotation_id"], line["discogs_release_id"]) == (rotation_id, 1000 + rotation_id)
    assert {len(digest) for _, _, digest in kept} == {64}
    assert failed_checks(report) == {"contract_violations_zero", "coverage_of_resolvable"}
    rotation.assert_adds_up(report)


def test_a_row_rests_for_a_day_after_three_violations_in_a_row(rotation):
    """A resting row still counts as one without an identity."""
    with serve_identities(lambda body: minted(body, identity_id=0) if release(body) == 1005 else (422, {})) as lml:
        for _ in range(3):
            assert rotation.run(lml.url).counters.contract_violation == 1
        lml.asked.clear()
        rested = rotation.run(lml.url)
        assert counts(rested, "scanned", "unresolved", "contract_violation", "resting") == {
            "scanned": 59, "unresolved": 59, "contract_violation": 0, "resting": 1,
        }  # fmt: skip
        assert 1005 not in [release(body) for body in lml.asked]
        assert rested.coverage.active_with_discogs == 60
        rotation.assert_adds_up(rested)
        rotation.execute("UPDATE wxyc_assets.quarantine SET wait_until = now() - interval '1 second'")
        assert rotation.run(lml.url).counters.contract_violation == 1


def test_a_run_fails_if_lml_answers_for_no_row(rotation):
    """The run counts every row, writes none, and the next run resolves all of them."""
    watermark = "SELECT last_modified_at FROM library_watermark"
    before = rotation.rows(watermark)
    with serve_identities(lambda _body: (500, {})) as lml:
        report = rotation.run(lml.url, client={"breaker_threshold": 3})
    assert 3 <= len(lml.asked) <= 3 + 8  # calls that were in flight
    assert counts(report, "scanned", "lml_error", "lml_total_calls") == {
        "scanned": 60, "lml_error": 60, "lml_total_calls": len(lml.asked),
    }  # fmt: skip
    assert report.verdict == "failed"
    assert report.reason.startswith("LML answered for none of the 60 rows asked")
    assert (rotation.resolved, rotation.quarantined, rotation.rows(watermark)) == ({}, [], before)
    kinds = {line["error_message"].partition(":")[0]: line["rows"] for line in rotation.steps("lml_error")}
    assert kinds.keys() == {"LmlServerError", "LmlUnavailable"}
    assert sum(kinds.values()) == 60
    assert [line["step"] for line in rotation.lines[-2:]] == ["finished", "failed"]
    rotation.assert_adds_up(report)
    with serve_identities(minted) as lml:
        assert rotation.run(lml.url).counters.resolved == 60


def test_a_run_fails_if_lml_is_unreachable(rotation):
    report = rotation.run("http://127.0.0.1:9")
    assert (report.verdict, report.counters.lml_error) == ("failed", 60)
    rotation.assert_adds_up(report)


def test_a_rejected_key_is_not_tried_for_every_row(rotation):
    with serve_identities(lambda _body: (401, {})) as lml:
        report = rotation.run(lml.url)
    assert (report.verdict, report.counters.lml_error) == ("failed", 60)
    assert len(lml.asked) <= 8
