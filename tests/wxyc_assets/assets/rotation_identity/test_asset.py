"""The asset through Dagster itself: what its page shows, what credits it, what fails a run, what may follow it."""

import importlib
from functools import partial

import dagster as dg
import pytest

from resources.sentry import SentryConfig, open_sentry
from tests.asset_runs import AssetRuns
from tests.wxyc_assets.rotation_identity.minting_lml import minted, minting, release
from wxyc_assets import single_flight
from wxyc_assets.rotation_identity.checks import SPECS
from wxyc_assets.rotation_identity.counters import Counters
from wxyc_assets.rotation_identity.findings import Coverage, accounting, of_answers, of_coverage
from wxyc_assets.rotation_identity.run import Tools

FOLLOWER = dg.AssetKey("follower")
CHECKS = {spec.name for spec in SPECS}


@dg.asset(name="follower", deps=["rotation_identity"])
def follower() -> None:
    """Stands in the place of what is warmed for the identities."""


def the_asset():
    return importlib.import_module("wxyc_assets.rotation_identity.asset").rotation_identity


@pytest.fixture
def dagster(rotation, instance, monkeypatch):
    """Runs the asset, and what follows it if a test wants; returns what Dagster then knows of it."""
    monkeypatch.setattr("wxyc_assets.rotation_identity.asset.Tools", partial(Tools, unit_wait_s=0.2))
    return Dagster(instance, rotation)


class Dagster(AssetRuns):
    def __init__(self, instance, rotation):
        super().__init__(instance, "rotation_identity")
        self.rotation = rotation

    def run(self, url, *, follow=False, tags=None, **config):
        with self.rotation.lml(url) as lml:
            defs = dg.Definitions(
                assets=[the_asset(), follower],
                resources={
                    "postgres": self.rotation.postgres,
                    "lml": lml,
                    "sentry": open_sentry(SentryConfig(dsn=None)),
                    "operator": self.operator,
                },
                executor=dg.in_process_executor,
            )
            return defs.resolve_implicit_global_asset_job_def().execute_in_process(
                instance=self.instance,
                asset_selection=[self.key, *([FOLLOWER] if follow else [])],
                raise_on_error=False,
                tags=tags or {},
                run_config={
                    "ops": {"rotation_identity": {"config": config}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
            )

    @property
    def credits(self):
        """The metadata of the only credit, or none; it has no partition."""
        credited, events = self.credited
        assert len(credited) == events <= 1
        return credited.get(None)

    @property
    def followed(self):
        return bool(self.instance.fetch_materializations(FOLLOWER, limit=1).records)

    def numbers(self, run):
        """What the check on the coverage was decided on."""
        (one,) = [one for one in self._evaluations(run) if one.check_name == "coverage_of_resolvable"]
        return {name: value.value for name, value in one.metadata.items()}


def test_a_run_is_credited_once_with_its_numbers_and_all_checks_are_evaluated(dagster):
    with minting(minted) as lml:
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


def test_too_little_coverage_fails_the_run_and_nothing_that_follows_is_begun(dagster):
    with minting(lambda body: (422, {}) if release(body) == 1001 else minted(body)) as lml:
        run = dagster.run(lml.url, follow=True)
    assert not run.success
    assert dagster.checks(run)["coverage_of_resolvable"] == (False, "ERROR")
    assert dagster.numbers(run)["resolvable_coverage_pct"] == 98.33
    assert dagster.summary(run).verdict == "anomaly"
    assert (dagster.credits["resolved"], dagster.followed) == (59, False)


def test_what_follows_in_the_same_run_is_done_when_the_rotation_is_covered(dagster):
    with minting(minted) as lml:
        run = dagster.run(lml.url, follow=True)
    assert run.success
    assert dagster.followed


def test_a_rotation_in_which_nothing_can_be_resolved_is_covered_and_credited(dagster):
    dagster.rotation.execute("UPDATE rotation SET discogs_release_id = NULL")
    with minting(minted) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["coverage_of_resolvable"] == (True, "ERROR")
    assert dagster.numbers(run)["resolvable_coverage_pct"] is None
    assert "no row needed an identity" in dagster.credits["outcome"]


def test_a_violation_leaves_the_run_green_where_the_rotation_is_covered_and_is_an_anomaly(dagster):
    dagster.rotation.execute(
        "INSERT INTO rotation (id, rotation_bin, discogs_release_id, lml_identity_id) "
        "SELECT i, 'L', 9, 9 FROM generate_series(101, 300) AS i"
    )
    with minting(lambda body: minted(body, identity_id=0) if release(body) == 1001 else minted(body)) as lml:
        run = dagster.run(lml.url)
    assert run.success
    assert dagster.checks(run)["contract_violations_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


def test_an_lml_that_is_down_fails_the_run_which_is_not_credited(dagster):
    with minting(lambda _body: (500, {})) as lml:
        run = dagster.run(lml.url, follow=True)
    assert not run.success
    assert (dagster.credits, dagster.followed) == (None, False)
    assert dagster.summary(run).verdict == "failed"
    assert dagster.checks(run)["accounting_holds"][0] is True


def test_a_rotation_that_somebody_works_on_is_refused_by_name_and_nothing_is_judged(dagster):
    with single_flight.run_locks(dagster.rotation.postgres, "other") as locks, minting(minted) as lml:
        locks.take(["rotation_identity/all"])
        run = dagster.run(lml.url)
        assert lml.asked == []
    assert not run.success
    assert (dagster.credits, dagster.checks(run)) == (None, {})
    assert "run other" in dagster.summary(run).reason


def test_a_dry_run_credits_nothing_calls_nobody_and_evaluates_only_the_accounting(dagster):
    with minting(minted) as lml:
        run = dagster.run(lml.url, dry_run=True)
        assert lml.asked == []
    assert run.success
    assert (dagster.credits, set(dagster.checks(run))) == (None, {"accounting_holds"})
    summary = dagster.summary(run)
    assert (summary.dry_run, summary.totals["scanned"], summary.totals["resolved"]) == (True, 60, 0)
    assert (summary.dry_run_report["would_ask"], summary.dry_run_report["resolvable_coverage_pct"]) == (60, 0.0)
    assert dagster.rehearsed(run).items() >= {"would_ask": 60, "resolvable_coverage_pct": 0.0}.items()


@pytest.mark.parametrize(
    ("tags", "origin"),
    [
        ({"dagster/schedule_name": "daily"}, "routine"),
        ({"dagster/schedule_name": "daily", "dagster/parent_run_id": "before"}, "explicit"),
        ({"wxyc/origin": "explicit"}, "explicit"),
        ({}, "explicit"),
    ],
)
def test_who_is_behind_a_run_is_on_record(dagster, tags, origin):
    with minting(minted) as lml:
        dagster.run(lml.url, tags=tags)
    assert dagster.rotation.rows("SELECT asset, origin FROM wxyc_assets.run") == [("rotation_identity", origin)]


def test_the_asset_is_described_to_those_who_look_at_it():
    (spec,) = the_asset().specs
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"rotation"}
    assert (spec.group_name, spec.partitions_def) == ("rotation", None)
    assert spec.owners
    assert spec.kinds
    assert spec.metadata["dagster/table_name"] == "wxyc_schema.rotation"
    assert "a row of `rotation`" in spec.description
    windows = (spec.freshness_policy.warn_window, spec.freshness_policy.fail_window)
    assert [window.to_timedelta().total_seconds() / 3600 for window in windows] == [26, 50]
    assert {one.name for one in SPECS if one.blocking} == {"coverage_of_resolvable"}
