"""The asset through Dagster itself: what its pages show, what it credits, what fails a run."""

from datetime import UTC, datetime
from functools import partial

import dagster as dg
import pytest

from tests.asset_runs import AssetRuns
from tests.wxyc_assets.rated_usage.billing import HOUR, TEN, B, event
from tests.wxyc_assets.rated_usage.oracle import Prices
from wxyc_assets.rated_usage import asset as asset_module
from wxyc_assets.rated_usage.asset import HOURS, rated_usage
from wxyc_assets.rated_usage.run import Tools
from wxyc_assets.rated_usage.windows import FIRST_HOUR, key, trailing_keys
from wxyc_assets.run_origin import ORIGIN_TAG
from wxyc_assets.settings import RatingSettings

pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")

KEY = dg.AssetKey("rated_usage")
CHECKS_OF_EVENTS = {
    *("anomalies_add_up", "unpriced_zero", "unattributable_zero", "ambiguous_base_zero", "work_without_charge"),
    "accounting_holds",
}
CHECKS_OF_STORAGE = {"reconciled_deletions", "trailing_hours_rated"}
ROUTINE = {ORIGIN_TAG: "routine"}


@pytest.fixture
def dagster(billing, monkeypatch):
    """Runs the asset on an ephemeral instance; returns what Dagster then knows of it."""
    monkeypatch.setattr(asset_module, "Tools", partial(Tools, now=lambda: billing.now, unit_wait_s=0.2))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Dagster(instance, billing)


class Dagster(AssetRuns):
    def __init__(self, instance, billing):
        super().__init__(instance, "rated_usage")
        self.billing = billing

    def run(self, *, first=TEN, hours=1, tags=None, prices=True, **config):
        settings = {"PRICE_FILE": str(self.billing.price_file)} if prices else {}
        defs = dg.Definitions(
            assets=[rated_usage],
            resources={
                "postgres": self.billing.postgres,
                "operator": self.operator,
                "rating_settings": RatingSettings.model_validate({**settings, "RATE_TRAILING_HOURS": "3"}),
            },
            executor=dg.in_process_executor,
        )
        return self.materialize(defs, key(first), key(first + (hours - 1) * HOUR), tags, config)

    @property
    def hours(self):
        """Each credited hour with its metadata, all credited once."""
        credited, events = self.credited
        assert len(credited) == events
        return credited

    def failures(self, run):
        """Why steps failed, as the run's page shows it."""
        events = self.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
        errors = [one.event_log_entry.dagster_event.event_specific_data.error for one in events]
        return [str(error.cause.message if error.cause else error.message) for error in errors]


def test_partitions_are_the_closed_utc_hours_since_2026():
    now = datetime(2026, 6, 8, 10, 37, tzinfo=UTC)
    keys = HOURS.get_partition_keys(current_time=now)
    assert (keys[0], keys[-1]) == (key(FIRST_HOUR), "2026-06-08-09:00")
    assert keys[-24:][0] == trailing_keys(now, 24)[0]
    for moment in (
        datetime(2026, 3, 8, 12, tzinfo=UTC),
        datetime(2026, 11, 1, 12, tzinfo=UTC),
    ):  # clocks change that day
        assert {len(one) for one in HOURS.get_partition_keys(current_time=moment)} == {16}
        assert len(HOURS.get_partition_keys(current_time=moment)) == (moment - FIRST_HOUR) // HOUR


def test_each_hour_is_credited_once_with_its_own_numbers_and_exact_money(dagster):
    dagster.billing.add(event("b", (100, 30, 50)), event("b", event_ts=TEN + 2 * HOUR), event("b", auth_id="c"))
    run = dagster.run(hours=3)
    assert run.success
    assert sorted(dagster.hours) == [key(TEN + place * HOUR) for place in range(3)]
    numbers = dagster.hours["2026-06-08-10:00"]
    assert (numbers["events"], numbers["rollups"], numbers["rows_inserted"], numbers["anomalies"]) == (2, 2, 2, 0)
    assert (numbers["total_cost"], numbers["cost_usd"]) == ("0.001865000", pytest.approx(0.001865))
    assert numbers["price_digest"] == dagster.billing.book.digest
    assert "2 | rows inserted" in numbers["outcome"]
    assert "no usage" in dagster.hours["2026-06-08-11:00"]["outcome"]
    checks = dagster.checks(run)
    assert set(checks) == CHECKS_OF_EVENTS | CHECKS_OF_STORAGE
    assert all(passed for passed, _ in checks.values())
    summary = dagster.summary(run)
    assert (summary.verdict, str(summary.totals["total_cost"]), summary.totals["rollups_written"]) == (
        "done",
        "0.002365000",
        3,
    )


def test_a_failed_hour_fails_the_run_which_credits_the_others_and_says_why(dagster):
    dagster.billing.prices = Prices({**B.base_models, "huge": ("9999999999.9", "0", "0")})
    dagster.billing.add(event("huge", (2**31 - 1, 0, 0), event_ts=TEN + HOUR), event(event_ts=TEN + 2 * HOUR))
    run = dagster.run(hours=3)
    assert not run.success
    assert sorted(dagster.hours) == ["2026-06-08-10:00", "2026-06-08-12:00"]
    assert "hour 2026-06-08-11:00: database: NumericValueOutOfRange" in dagster.failures(run)[0]
    assert dagster.summary(run).verdict == "failed"


def test_a_plan_credits_nothing_and_evaluates_only_the_checks_of_events(dagster):
    dagster.billing.add(event(), event("nobody-knows-it"))
    run = dagster.run(dry_run=True)
    assert run.success
    assert (dagster.credited, dagster.billing.billed()) == (({}, 0), {})
    assert set(dagster.checks(run)) == CHECKS_OF_EVENTS
    summary = dagster.summary(run)
    assert summary.dry_run
    assert summary.dry_run_report["hours"]["2026-06-08-10:00"]["rows_inserted"] == 1
    assert str(summary.dry_run_report["total"]["cost_moved"]) == "0.000500000"
    assert dagster.rehearsed(run).items() >= {"rows_inserted": 1, "cost_moved": "0.000500000"}.items()
    plan = dagster.rehearsed(run)["plan"].replace("\N{NON-BREAKING HYPHEN}", "-")
    assert "| 2026-06-08-10:00 | 1 | 0 | 0 | 0.000000000 | 0.000500000 | +0.000500000 |" in plan
    assert summary.verdict == "anomaly"


@pytest.mark.parametrize(("tags", "success", "verdict"), [(ROUTINE, False, "anomaly"), ({}, True, "done")])
def test_a_deletion_blocks_and_fails_a_routine_run_only(dagster, tags, success, verdict):
    dagster.billing.add(event())
    dagster.run()
    dagster.billing.execute("DELETE FROM billing_event")
    run = dagster.run(tags=tags)
    assert run.success is success
    assert dagster.checks(run)["reconciled_deletions"] == (success, "ERROR")
    assert dagster.summary(run).verdict == verdict
    credited, events = dagster.credited
    assert (credited["2026-06-08-10:00"]["reconciled_deletions"], events) == (1, 2)
    assert dagster.billing.billed() == {}


def test_an_anomaly_fails_its_check_and_leaves_the_run_done(dagster):
    dagster.billing.add(event("nobody-knows-it"))
    run = dagster.run()
    assert run.success
    assert dagster.checks(run)["unpriced_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


@pytest.mark.parametrize(("tags", "severity"), [(ROUTINE, "ERROR"), ({}, "WARN")])
def test_late_hours_are_shown_and_only_a_routine_run_is_to_blame(dagster, tags, severity):
    dagster.billing.now = TEN + 8.1 * HOUR
    run = dagster.run(tags=tags)
    assert run.success
    assert dagster.checks(run)["trailing_hours_rated"] == (False, severity)
    assert dagster.summary(run).verdict == ("anomaly" if tags else "done")


def test_without_a_price_file_the_run_fails_with_the_reason_and_nothing_is_billed(dagster):
    dagster.billing.add(event())
    run = dagster.run(prices=False)
    assert not run.success
    assert "PRICE_FILE is not set" in dagster.failures(run)[0]
    assert (dagster.billing.billed(), dagster.credited) == ({}, ({}, 0))


def test_a_bad_price_file_fails_the_run_with_all_its_problems(dagster):
    dagster.billing.prices = Prices({"b": ("-1", "1e-6", "0.1")})
    run = dagster.run()
    assert not run.success
    (reason,) = dagster.failures(run)
    assert reason.count("line ") == 2
    assert dagster.credited == ({}, 0)


def test_its_page_says_what_a_row_means_and_what_it_comes_from():
    spec = rated_usage.specs_by_key[KEY]
    assert (spec.group_name, spec.kinds) == ("billing", {"postgres", "python"})
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"billing_event", "price_book"}
    assert spec.metadata["dagster/table_name"] == "public.rated_usage"
    assert {check.name for check in rated_usage.check_specs if check.blocking} == {"reconciled_deletions"}
    assert rated_usage.backfill_policy == dg.BackfillPolicy.single_run()
