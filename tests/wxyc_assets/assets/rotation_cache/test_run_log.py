"""What a run logs and reports to Sentry."""

from tests.sentry_watch import watched_sentry
from tests.wxyc_assets.assets.rotation_cache.fake_lml import mixed, serve_refreshes
from tests.wxyc_assets.assets.rotation_cache.harness import totals
from wxyc_assets.assets.rotation_cache.counters import TOTALS
from wxyc_assets.assets.rotation_cache.plan import Batching


def test_log_lines_are_compact_json_with_the_contracts_fields(rotation):
    with serve_refreshes(mixed) as lml:
        report = rotation.run(lml.url, batching=Batching(7, 2))
    assert [line["step"] for line in rotation.lines] == ["init", "deploy_guard", "plan", "not_found_rate", "done"]
    base = {"repo": "wxyc_assets", "tool": "rotation-artist-backfill", "run_id": report.request.run_id}
    assert all(base.items() <= line.items() for line in rotation.lines)
    assert ", " not in rotation.stream.getvalue().replace(rotation.steps("deploy_guard")[0]["reason"], "")
    plan = {"identity_count": 60, "batch_count": 9, "batch_cap": 50, "concurrency": 2, "dry_run": False}
    assert plan.items() <= rotation.steps("plan")[0].items()
    done = dict(zip(TOTALS, totals(report), strict=True)) | {"dry_run": False}
    assert done.items() <= rotation.steps("done")[0].items()


def test_each_failed_call_reaches_sentry_once(rotation):
    """Calls that the circuit breaker refused are not reported."""
    rotation.sentry, collector = watched_sentry()
    with serve_refreshes(lambda _ids: (500, {})) as lml:
        rotation.run(lml.url, client={"breaker_threshold": 2}, batching=Batching(10, 1))
        lml.say = lambda _ids: b"null"
        rotation.run(lml.url, batching=Batching(50, 1))
    rotation.sentry.flush()
    assert [event["fingerprint"][1:] for event in collector.events] == [
        *[["batch_error", "LmlServerError"]] * 2,
        *[["malformed_response", "LmlBrokenAnswer"]] * 2,
    ]
    rotation.sentry.close()
