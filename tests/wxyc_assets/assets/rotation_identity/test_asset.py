"""The asset in Dagster: its metadata, materialization and checks, failed runs, and downstream assets."""

import importlib
from functools import partial

import dagster as dg
import pytest

from resources.sentry import SentryConfig, open_sentry
from tests.materializer import AssetRuns
from tests.wxyc_assets.assets.rotation_identity.fake_lml import minted, release, serve_identities
from wxyc_assets.assets.rotation_identity import checks
from wxyc_assets.assets.rotation_identity.checks import Coverage, accounting, of_answers, of_coverage
from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.run import Tools
from wxyc_assets.runs import advisory_locks

DOWNSTREAM = dg.AssetKey("downstream")
CHECKS = {check.name for check in checks.CHECKS}


@dg.asset(name="downstream", deps=["rotation_identity"])
def downstream() -> None:
    """An asset downstream, as rotation_cache is."""


def load_asset():
    return importlib.import_module("wxyc_assets.assets.rotation_identity.asset").rotation_identity


def load_checks():
    return importlib.import_module("wxyc_assets.assets.rotation_identity.asset").rotation_identity_checks


@pytest.fixture
def dagster(rotation, instance, monkeypatch):
    """Runs of the asset through Dagster, on request with a downstream asset."""
    monkeypatch.setattr("wxyc_assets.assets.rotation_identity.asset.Tools", partial(Tools, unit_wait_s=0.2))
    return IdentityAssetRuns(instance, rotation)


class IdentityAssetRuns(AssetRuns):
    def __init__(self, instance, rotation):
        super().__init__(instance, "rotation_identity")
        self.rotation = rotation

    def run(self, url, *, with_downstream=False, tags=None, **config):
        with self.rotation.lml(url) as lml:
            defs = dg.Definitions(
                assets=[load_asset(), downstream],
                asset_checks=[load_checks()],
                resources={
                    "postgres": self.rotation.postgres,
                    "lml": lml,
                    "sentry": open_sentry(SentryConfig(dsn=None)),
                    "console": self.console,
                },
                executor=dg.in_process_executor,
            )
            if config.pop("dry_run", False):
                return self.run_dry(defs, config, tags)
            return defs.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=self.instance,
                asset_selection=[self.key, *([DOWNSTREAM] if with_downstream else [])],
                raise_on_error=False,
                tags=tags or {},
                run_config={
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
            )

    @property
    def credits(self):
        """The metadata of the only materialization, or None; it has no partition."""
        credited, events = self.credited
        assert len(credited) == events <= 1
        return credited.get(None)

    @property
    def downstream_materialized(self):
        return bool(self.instance.fetch_materializations(DOWNSTREAM, limit=1).records)

    def numbers(self, run):
        """The numbers of the coverage check."""
        (one,) = [one for one in self._evaluations(run) if one.check_name == "coverage_of_resolvable"]
        return {name: value.value for name, value in one.metadata.items()}


def test_a_run_is_credited_once_with_all_checks_evaluated(dagster):
    with serve_identities(minted) as lml:
        run = dagster.run(lml.url)
    assert run.success
    credit = dagster.credits
    assert (credit["scanned"], credit["resolved"], credit["active_with_lml"]) == (60, 60, 60)
    assert all(type(value) in (int, float) for name, value in credit.items() if name != "outcome")
    assert "has its identity now" in credit["outcome"]
    assert dagster.checks(run) == dict.fromkeys(CHECKS, (True, "ERROR"))
    assert dagster.numbers(run) == {
        "active": 60, "active_with_discogs": 60, "active_with_lml": 60, "resolvable_coverage_pct": 100.0,
    }  # fmt: skip
    assert (dagster.summary(run).partitions, dagster.summary(run).totals["resolved"]) == ([], 60)


def test_every_finding_of_a_run_is_a_declared_check():
    found = [
        accounting(Counters(), inputs_read=0),
        *of_answers(Counters()),
        of_coverage(Coverage(0, 0, 0, None)),
    ]
    assert {finding.name for finding in found} == CHECKS


def test_too_little_coverage_blocks_downstream_assets(dagster):
    with serve_identities(lambda body: (422, {}) if release(body) == 1001 else minted(body)) as lml:
        run = dagster.run(lml.url, with_downstream=True)
    assert not run.success
    assert dagster.checks(run)["coverage_of_resolvable"] == (False, "ERROR")
    assert dagster.numbers(run)["resolvable_coverage_pct"] == 98.33
    assert dagster.summary(run).verdict == "anomaly"
    assert (dagster.credits, dagster.downstream_materialized) == (None, False)


def test_enough_coverage_lets_downstream_assets_run(dagster):
    with serve_identities(minted) as lml:
        run = dagster.run(lml.url, with_downstream=True)
    assert run.success
    assert dagster.downstream_materialized


def test_a_rotation_without_resolvable_rows_is_credited(dagster):
    dagster.rotation.execute("UPDATE rotation SET discogs_release_id = NULL")
    with serve_identities(minted) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["coverage_of_resolvable"] == (True, "ERROR")
    assert dagster.numbers(run)["resolvable_coverage_pct"] is None
    assert "no row needed an identity" in dagster.credits["outcome"]


def test_a_violation_with_enough_coverage_is_only_an_anomaly(dagster):
    dagster.rotation.execute(
        "INSERT INTO rotation (id, rotation_bin, discogs_release_id, lml_identity_id) "
        "SELECT i, 'L', 9, 9 FROM generate_series(101, 300) AS i"
    )
    with serve_identities(lambda body: minted(body, identity_id=0) if release(body) == 1001 else minted(body)) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["contract_violations_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


def test_a_run_fails_without_credit_if_lml_is_down(dagster):
    with serve_identities(lambda _body: (500, {})) as lml:
        run = dagster.run(lml.url, with_downstream=True)
    assert not run.success
    assert (dagster.credits, dagster.downstream_materialized) == (None, False)
    assert dagster.summary(run).verdict == "failed"
    assert dagster.checks(run)["accounting_holds"][0] is True


def test_a_locked_rotation_fails_the_run_with_the_holders_name(dagster):
    """No check is evaluated."""
    with advisory_locks.run_locks(dagster.rotation.postgres, "other") as locks, serve_identities(minted) as lml:
        locks.take(["rotation_identity/all"])
        run = dagster.run(lml.url)
        assert lml.asked == []
    assert not run.success
    assert (dagster.credits, dagster.checks(run)) == (None, {})
    assert "run other" in dagster.summary(run).reason


def test_dry_run_touches_no_partition_and_no_check(dagster):
    """It calls LML for nothing and credits nothing."""
    with serve_identities(minted) as lml:
        run = dagster.run(lml.url, dry_run=True)
        assert lml.asked == []
    assert run.success
    assert (dagster.touched(run), dagster.found(run)) == ([], {"accounting_holds"})
    summary = dagster.summary(run)
    assert (summary.dry_run, summary.totals["scanned"], summary.totals["resolved"]) == (True, 60, 0)
    assert (summary.dry_run_report["would_ask"], summary.dry_run_report["resolvable_coverage_pct"]) == (60, 0.0)
    assert dagster.dry_run_event(run).items() >= {"would_ask": 60, "resolvable_coverage_pct": 0.0}.items()


@pytest.mark.parametrize(
    ("tags", "origin"),
    [
        ({"dagster/schedule_name": "daily"}, "routine"),
        ({"dagster/schedule_name": "daily", "dagster/parent_run_id": "before"}, "explicit"),
        ({"wxyc/origin": "explicit"}, "explicit"),
        ({}, "explicit"),
    ],
)
def test_the_ledger_has_the_origin_of_a_run(dagster, tags, origin):
    with serve_identities(minted) as lml:
        dagster.run(lml.url, tags=tags)
    assert dagster.rotation.rows("SELECT asset, origin FROM wxyc_assets.run") == [("rotation_identity", origin)]


def test_the_asset_has_its_metadata_for_the_ui():
    (spec,) = load_asset().specs
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"rotation"}
    assert (spec.group_name, spec.partitions_def) == ("rotation", None)
    assert spec.owners
    assert spec.kinds
    assert spec.metadata["dagster/table_name"] == "wxyc_schema.rotation"
    assert "a row of `rotation`" in spec.description
    windows = (spec.freshness_policy.warn_window, spec.freshness_policy.fail_window)
    assert [window.to_timedelta().total_seconds() / 3600 for window in windows] == [26, 50]
    assert {one.name for one in checks.CHECKS if one.blocking} == {"coverage_of_resolvable"}


def test_coverage_is_evaluated_without_a_run(dagster):
    resources = {"postgres": dagster.rotation.postgres}
    run = dagster.run_checks(load_checks(), resources)
    assert dagster.checks(run) == {"coverage_of_resolvable": (False, "ERROR")}
    with serve_identities(minted) as lml:
        dagster.run(lml.url)
    run = dagster.run_checks(load_checks(), resources)
    assert dagster.checks(run) == dict.fromkeys(CHECKS, (True, "ERROR"))
