"""The asset in Dagster: its metadata, materialization and checks, failed runs, and checks without a run."""

import importlib
from functools import partial

import dagster as dg
import pytest

from resources.deploy_gate.rules import GateDecision
from tests.materializer import AssetRuns
from tests.resources.lml import loopback
from tests.wxyc_assets.assets.rotation_cache.fake_lml import all_warmed, mixed, serve_refreshes, warmed, with_status
from tests.wxyc_assets.assets.rotation_cache.harness import in_days, today
from wxyc_assets.assets.rotation_cache import checks
from wxyc_assets.assets.rotation_cache.checks import RecentRefreshes, accounting, of_answers, of_gate, of_the_last_day
from wxyc_assets.assets.rotation_cache.counters import Counters
from wxyc_assets.assets.rotation_cache.run import Tools
from wxyc_assets.orchestration.partitions import DAYS
from wxyc_assets.runs import advisory_locks
from wxyc_assets.settings import LmlSettings, RotationSettings

CHECKS = {check.name for check in checks.CHECKS}
ROOMY = {"LML_DISCOGS_BUDGET_PER_MIN": "1000000000"}
TODAY = str(today())


def load_asset():
    return importlib.import_module("wxyc_assets.assets.rotation_cache.asset").rotation_cache


def load_checks():
    return importlib.import_module("wxyc_assets.assets.rotation_cache.asset").rotation_cache_checks


@pytest.fixture
def dagster(rotation, instance, monkeypatch):
    """Runs of the asset through Dagster."""
    monkeypatch.setattr("wxyc_assets.assets.rotation_cache.asset.Tools", partial(Tools, unit_wait_s=0.2))
    return CacheAssetRuns(instance, rotation)


class CacheAssetRuns(AssetRuns):
    def __init__(self, instance, rotation):
        super().__init__(instance, "rotation_cache")
        self.rotation = rotation

    def resources(self, lml, settings, lml_settings):
        return {
            "postgres": self.rotation.postgres,
            "lml": lml,
            "sentry": self.rotation.sentry,
            "console": self.console,
            "rotation_settings": RotationSettings.model_validate(settings or {}),
            "lml_settings": LmlSettings.model_validate({**ROOMY, **(lml_settings or {})}),
        }

    def run(self, url, *, first=TODAY, last=TODAY, tags=None, settings=None, lml_settings=None, **config):
        with self.rotation.lml(url, attempts=1) as lml:
            defs = dg.Definitions(
                assets=[load_asset()],
                asset_checks=[load_checks()],
                resources=self.resources(lml, settings, lml_settings),
                executor=dg.in_process_executor,
            )
            return self.materialize(defs, first, last, tags, config)

    def evaluate(self, url, *names, settings=None):
        """Execute checks without the asset, as the UI's button does."""
        with self.rotation.lml(url, attempts=1) as lml:
            return self.run_checks(load_checks(), self.resources(lml, settings, None), *names)

    def metadata(self, run, name):
        """The metadata of a check that the run evaluated."""
        (found,) = [one for one in self._evaluations(run) if one.check_name == name]
        return {key: value.value for key, value in found.metadata.items()}


def test_today_is_credited_once_with_all_checks_evaluated(dagster):
    with serve_refreshes(all_warmed) as lml:
        run = dagster.run(lml.url)
    assert run.success
    credited, events = dagster.credited
    assert (list(credited), events) == ([TODAY], 1)
    numbers = credited[TODAY]
    assert (numbers["identities_scanned"], numbers["warmed_artists"], numbers["lml_error"]) == (60, 120, 0)
    assert all(type(value) is int for name, value in numbers.items() if name != "outcome")
    assert "| 60 | warmed |" in numbers["outcome"]
    assert {name: passed for name, (passed, _) in dagster.checks(run).items()} == dict.fromkeys(CHECKS, True)
    assert dagster.summary(run).totals["identities_resolved"] == 60
    assert dagster.summary(run).partitions == [TODAY]


def test_every_finding_of_a_run_is_a_declared_check():
    found = [
        of_gate(GateDecision(is_open=True, reason="")),
        accounting(Counters(), inputs_read=0, dry_run=False),
        *of_answers(Counters()),
        of_the_last_day(RecentRefreshes(0, 0, 0)),
    ]
    assert {finding.name for finding in found} == CHECKS


def test_the_settings_determine_the_batch_size(dagster):
    with serve_refreshes(all_warmed) as lml:
        dagster.run(lml.url)
        assert sorted(len(call) for call in lml.asked) == [10, 50]
        lml.asked.clear()
        dagster.run(lml.url, lml_settings={"LML_COST_REFRESH_ID": "50000000"})
        assert [len(call) for call in lml.asked] == [10] * 6


def test_unknown_identities_are_shown_and_are_only_an_anomaly(dagster):
    with serve_refreshes(mixed) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["not_found_rate"] == (False, "ERROR")
    shown = dagster.metadata(run, "not_found_rate")
    assert (shown["numerator"], shown["denominator"]) == (6, 54)
    assert (shown["not_found_rate"], shown["not_found_rate_of_scanned"]) == (6 / 54, 0.1)
    assert shown["stale_identity_ids"] == list(range(110, 170, 10))
    assert dagster.summary(run).verdict == "anomaly"
    assert dagster.credited[1] == 1


def test_untrusted_answers_are_only_an_anomaly(dagster):
    with serve_refreshes(lambda ids: [*all_warmed(ids)[1:], warmed(999)]) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["answers_trusted"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


def test_errors_of_single_identities_only_warn(dagster):
    with serve_refreshes(lambda ids: [with_status(one, "error") if one % 2 else warmed(one) for one in ids]) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["error_rate_healthy"] == (False, "WARN")
    assert dagster.summary(run).verdict == "done"


@pytest.mark.parametrize("status", ["error", "thawed"])
def test_a_run_that_warmed_nothing_is_an_anomaly(dagster, status):
    with serve_refreshes(lambda ids: [with_status(one, status) for one in ids]) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.summary(run).verdict == "anomaly"
    assert "nothing was warmed" in dagster.summary(run).reason


@pytest.mark.parametrize(
    ("first", "last"),
    [(in_days(-1), in_days(-1)), (in_days(-3), in_days(0)), (in_days(-3), in_days(-2)), (in_days(1), in_days(1))],
)
def test_another_day_or_a_range_fails_one_run_with_one_reason(dagster, first, last):
    with serve_refreshes(all_warmed) as lml:
        run = dagster.run(lml.url, first=str(first), last=str(last))
    assert not run.success
    assert (lml.asked, lml.health_asked) == ([], 0)
    assert dagster.credited == ({}, 0)
    assert dagster.checks(run) == {}
    assert "yesterday's cannot be warmed any more" in dagster.summary(run).reason
    (failure,) = run.get_step_failure_events()
    assert "only the cache of today" in str(
        failure.step_failure_data.user_failure_data or failure.step_failure_data.error
    )


def test_a_closed_gate_fails_the_run_and_its_check(dagster):
    with serve_refreshes(all_warmed) as lml:
        lml.health = (503, {})
        run = dagster.run(lml.url)
    assert not run.success
    assert lml.asked == []
    assert dagster.credited == ({}, 0)
    assert dagster.checks(run) == {"deploy_gate_open": (False, "ERROR")}
    assert "503" in dagster.descriptions(run)["deploy_gate_open"]
    assert dagster.summary(run).verdict == "failed"
    assert "the deploy gate is closed" in dagster.summary(run).reason


def test_the_gate_can_be_evaluated_without_a_run(dagster):
    with serve_refreshes(all_warmed) as lml:
        open_run = dagster.evaluate(lml.url, "deploy_gate_open")
        lml.health = (503, {})
        closed_run = dagster.evaluate(lml.url, "deploy_gate_open")
        assert (lml.asked, lml.health_asked) == ([], 2)
    assert open_run.success
    assert dagster.checks(open_run) == {"deploy_gate_open": (True, "ERROR")}
    assert dagster.metadata(open_run, "deploy_gate_open")["commit_sha"].startswith("8a1344c")
    assert dagster.checks(closed_run) == {"deploy_gate_open": (False, "ERROR")}
    assert dagster.credited == ({}, 0)
    assert dagster.rotation.rows("SELECT FROM wxyc_assets.run") == []


def test_the_gate_uses_the_configured_github_url_and_token(dagster):
    with serve_refreshes(all_warmed) as lml, loopback.serving() as github:
        lml.health = {"status": "healthy", "commit_sha": "f00d"}
        github.always = loopback.answer({"status": "diverged"})
        settings = {"GITHUB_API_URL": github.url, "GITHUB_TOKEN": "ghp_secret"}
        run = dagster.evaluate(lml.url, "deploy_gate_open", settings=settings)
    assert dagster.checks(run) == {"deploy_gate_open": (False, "ERROR")}
    assert "diverged" in dagster.descriptions(run)["deploy_gate_open"]
    assert github.seen[0].headers["authorization"] == "Bearer ghp_secret"
    assert not any("ghp_secret" in text for text in dagster.said(run))


def test_local_dev_trusts_an_lml_without_a_commit(dagster):
    with serve_refreshes(all_warmed) as lml:
        lml.health = {"status": "healthy"}
        assert dagster.run(lml.url, lml_settings={"LOCAL_DEV": "1"}).success
        assert [] not in lml.asked  # not probed
        lml.say = lambda ids: all_warmed(ids) if ids else (404, {})
        assert not dagster.run(lml.url).success


def test_checks_without_a_run_ask_lml_for_no_refresh(dagster):
    """The gate and the rate are evaluated; the others repeat what the run found, none of them worse."""
    with serve_refreshes(mixed) as lml:
        ran = dagster.run(lml.url)
        lml.asked.clear()
        run = dagster.evaluate(lml.url, *CHECKS)
        assert lml.asked == []
    assert dagster.checks(run) == dagster.checks(ran)
    repeated = {one.check_name for one in dagster._evaluations(run) if "repeats_run" in one.metadata}
    assert repeated == CHECKS - {"deploy_gate_open", "not_found_rate"}


def test_dry_run_touches_no_partition_and_no_check(dagster):
    with serve_refreshes(all_warmed) as lml:
        run = dagster.run(lml.url, dry_run=True, lml_settings={"LML_DISCOGS_BUDGET_PER_MIN": "30"})
        assert (lml.asked, lml.health_asked) == ([], 1)
    assert run.success
    assert dagster.credited == ({}, 0)
    assert (dagster.touched(run), dagster.found(run)) == ([], {"deploy_gate_open", "accounting_holds"})
    report = dagster.summary(run).dry_run_report
    assert (report["identities_scanned"], report["calls"], report["discogs_calls"]) == (60, 20, 240)
    assert report["budget_ours_s"] == 480
    assert dagster.dry_run_event(run).items() >= {"calls": 20, "budget_ours_s": 480}.items()
    assert {name for name, count in dagster.summary(run).totals.items() if count} == {"identities_scanned"}


def test_a_locked_day_fails_the_run_with_the_holders_name(dagster):
    with advisory_locks.run_locks(dagster.rotation.postgres, "other") as locks, serve_refreshes(all_warmed) as lml:
        locks.take([advisory_locks.unit("rotation_cache", TODAY)])
        run = dagster.run(lml.url)
        assert (lml.asked, lml.health_asked) == ([], 0)
    assert not run.success
    assert "run other" in dagster.summary(run).reason


def test_a_run_fails_without_credit_if_lml_is_down(dagster):
    with serve_refreshes(lambda _ids: (500, {})) as lml:
        run = dagster.run(lml.url)
    assert not run.success
    assert dagster.credited == ({}, 0)
    assert dagster.summary(run).verdict == "failed"
    assert dagster.checks(run)["accounting_holds"][0]
    assert dagster.checks(run)["not_found_rate"][0]


def test_the_asset_has_its_metadata_for_the_ui():
    asset = load_asset()
    (spec,) = asset.specs
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["rotation_identity"]
    assert spec.owners
    assert spec.kinds
    assert spec.group_name == "rotation"
    assert "A partition is a day of UTC" in spec.description
    assert spec.metadata["dagster/table_name"]
    assert spec.freshness_policy is not None
    assert {one.name for one in checks.CHECKS if one.blocking} == {"deploy_gate_open"}
    assert asset.backfill_policy == dg.BackfillPolicy.single_run()
    assert asset.partitions_def == DAYS
