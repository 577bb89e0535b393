"""The asset in Dagster: its partitions, metadata, materializations and checks, and failed runs."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import dagster as dg
import pytest

from tests.materializer import AssetRuns
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, PRICES, TEN, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.assets.rated_usage import asset as asset_module
from wxyc_assets.assets.rated_usage.asset import rated_usage, rated_usage_checks
from wxyc_assets.assets.rated_usage.run import Tools
from wxyc_assets.orchestration.partitions import HOURS
from wxyc_assets.runs.origin import ORIGIN_TAG
from wxyc_assets.runs.partitions import FIRST_HOUR, hour_key, trailing_keys
from wxyc_assets.settings import RatingSettings

pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")

KEY = dg.AssetKey("rated_usage")
CHECKS_OF_EVENTS = {
    *("anomalies_add_up", "unpriced_zero", "unattributable_zero", "ambiguous_base_zero", "work_without_charge"),
    *("accounting_holds", "ambiguous_org_zero", "price_changed", "negative_tokens_zero", "sealed_hours_stand"),
}
CHECKS_OF_STORAGE = {"reconciled_deletions", "trailing_hours_rated", "unrated_events"}
ROUTINE = {ORIGIN_TAG: "routine"}


@pytest.fixture
def dagster(billing, monkeypatch):
    """Runs of the asset through Dagster."""
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
            asset_checks=[rated_usage_checks],
            resources={
                "billing_postgres": self.billing.postgres,
                "console": self.console,
                "rating_settings": RatingSettings.model_validate({**settings, "RATE_TRAILING_HOURS": "3"}),
            },
            executor=dg.in_process_executor,
        )
        return self.materialize(defs, hour_key(first), hour_key(first + (hours - 1) * HOUR), tags, config)

    @property
    def hours(self):
        """The metadata of each credited hour; each is credited once."""
        credited, events = self.credited
        assert len(credited) == events
        return credited

    def failures(self, run):
        """The errors of failed steps, as on the run's page."""
        events: Any = self.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
        errors = [one.event_log_entry.dagster_event.event_specific_data.error for one in events]
        return [str(error.cause.message if error.cause else error.message) for error in errors]


def test_partitions_are_the_closed_utc_hours_since_2026():
    now = datetime(2026, 6, 8, 10, 37, tzinfo=UTC)
    keys = HOURS.get_partition_keys(current_time=now)
    assert (keys[0], keys[-1]) == (hour_key(FIRST_HOUR), "2026-06-08-09:00")
    assert keys[-24:][0] == trailing_keys(now, 24)[0]
    for moment in (
        datetime(2026, 3, 8, 12, tzinfo=UTC),
        datetime(2026, 11, 1, 12, tzinfo=UTC),
    ):  # clocks change that day
        assert {len(one) for one in HOURS.get_partition_keys(current_time=moment)} == {16}
        assert len(HOURS.get_partition_keys(current_time=moment)) == (moment - FIRST_HOUR) // HOUR


def test_each_hour_is_credited_once_with_its_numbers(dagster):
    dagster.billing.add(event("b", (100, 30, 50)), event("b", event_ts=TEN + 2 * HOUR), event("b", auth_id="c"))
    run = dagster.run(hours=3)
    assert run.success
    assert sorted(dagster.hours) == [hour_key(TEN + place * HOUR) for place in range(3)]
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


def test_a_failed_hour_fails_the_run_but_others_are_credited(dagster):
    dagster.billing.prices = Prices({**PRICES.base_models, "huge": ("9999999999.9", "0", "0")})
    dagster.billing.add(event("huge", (2**31 - 1, 0, 0), event_ts=TEN + HOUR), event(event_ts=TEN + 2 * HOUR))
    run = dagster.run(hours=3)
    assert not run.success
    assert sorted(dagster.hours) == ["2026-06-08-10:00", "2026-06-08-12:00"]
    assert "hour 2026-06-08-11:00: database: NumericValueOutOfRange" in dagster.failures(run)[0]
    assert dagster.summary(run).verdict == "failed"


def test_plan_touches_no_partition_and_no_check(dagster):
    dagster.billing.add(event(), event("unlisted"))
    run = dagster.run(dry_run=True)
    assert run.success
    assert (dagster.credited, dagster.billing.billed()) == (({}, 0), {})
    assert (dagster.touched(run), dagster.found(run)) == ([], CHECKS_OF_EVENTS)
    summary = dagster.summary(run)
    assert summary.dry_run
    assert summary.dry_run_report["hours"]["2026-06-08-10:00"]["rows_inserted"] == 1
    assert str(summary.dry_run_report["total"]["cost_moved"]) == "0.000500000"
    assert dagster.dry_run_event(run).items() >= {"rows_inserted": 1, "cost_moved": "0.000500000"}.items()
    plan = dagster.dry_run_event(run)["plan"].replace("\N{NON-BREAKING HYPHEN}", "-")
    assert "| 2026-06-08-10:00 | 1 | 0 | 0 | 0.000000000 | 0.000500000 | +0.000500000 |" in plan
    assert summary.verdict == "anomaly"


@pytest.mark.parametrize(("tags", "success", "verdict"), [(ROUTINE, False, "anomaly"), ({}, True, "done")])
def test_a_deletion_fails_only_a_routine_run(dagster, tags, success, verdict):
    dagster.billing.add(event())
    dagster.run()
    dagster.billing.execute("DELETE FROM billing_event")
    run = dagster.run(tags=tags)
    assert run.success is success
    assert dagster.checks(run)["reconciled_deletions"] == (success, "ERROR")
    assert dagster.summary(run).verdict == verdict
    credited, events = dagster.credited
    deletions = credited["2026-06-08-10:00"]["reconciled_deletions"]
    assert (deletions, events) == ((1, 2) if success else (0, 1))  # the failed hour keeps its earlier credit
    assert dagster.billing.billed() == {}


def test_an_anomaly_fails_its_check_but_not_the_run(dagster):
    dagster.billing.add(event("unlisted"))
    run = dagster.run()
    assert run.success
    assert dagster.checks(run)["unpriced_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


@pytest.mark.parametrize(("tags", "severity"), [(ROUTINE, "ERROR"), ({}, "WARN")])
def test_late_hours_are_an_anomaly_of_a_routine_run_only(dagster, tags, severity):
    dagster.billing.now = TEN + 8.1 * HOUR
    run = dagster.run(tags=tags)
    assert run.success
    assert dagster.checks(run)["trailing_hours_rated"] == (False, severity)
    assert dagster.summary(run).verdict == ("anomaly" if tags else "done")


def test_a_missing_price_file_fails_the_run_with_the_reason(dagster):
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


def test_the_asset_has_its_metadata_for_the_ui():
    spec = rated_usage.specs_by_key[KEY]
    assert (spec.group_name, spec.kinds) == ("billing", {"postgres", "python"})
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"billing_event", "price_book"}
    assert spec.metadata["dagster/table_name"] == "public.rated_usage"
    assert {check.name for check in rated_usage_checks.check_specs if check.blocking} == {"reconciled_deletions"}
    assert rated_usage.backfill_policy == dg.BackfillPolicy.single_run()


def test_a_materialization_has_numbers_to_plot_and_exact_money(billing):
    billing.add(event("b", (100, 30, 50)), event("unlisted"))
    billing.run()
    (done,) = billing.credited
    metadata = {name: value.value for name, value in asset_module._materialization(done).metadata.items()}
    assert (metadata["total_cost"], metadata["cost_usd"]) == ("0.001365000", 0.001365)
    assert (metadata["anomalies"], metadata["unpriced_events"], metadata["rollups"]) == (1, 1, 1)
    assert "| 1 | events without a price |" in str(metadata["outcome"])


def test_trailing_hours_are_evaluated_without_a_run(dagster):
    """No run has rated the trailing hours of the present: the check fails, and each other check has nothing to repeat."""
    settings = RatingSettings.model_validate({"RATE_TRAILING_HOURS": "3"})
    run = dagster.run_checks(
        rated_usage_checks, {"billing_postgres": dagster.billing.postgres, "rating_settings": settings}
    )
    assert dagster.checks(run) == {"trailing_hours_rated": (False, "ERROR"), "unrated_events": (True, "ERROR")}
    assert run.success


@pytest.mark.parametrize("name", ["trailing_hours_rated", "unrated_events"])
def test_each_check_of_what_is_stored_is_evaluated_alone(dagster, name):
    settings = RatingSettings.model_validate({"RATE_TRAILING_HOURS": "3"})
    resources = {"billing_postgres": dagster.billing.postgres, "rating_settings": settings}
    run = dagster.run_checks(rated_usage_checks, resources, name)
    assert run.success
    assert set(dagster.checks(run)) == {name}


def test_an_hour_plots_its_top_customers(billing, instance):
    """On an instance in PostgreSQL: a number for each of the ten with the highest costs, and a table with the exact ones."""
    dagster = Dagster(instance, billing)
    customers = [*(f"key-{place:02}" for place in range(11)), "", "odd|`key`"]
    billing.add(
        *(event("b", (100 * (place + 1), 0, 0), auth_id=one) for place, one in enumerate(customers)),
        event("b", (1, 0, 0), auth_id="key-10", resource_id="other"),
        event("b", auth_id="key-00", event_ts=TEN + HOUR),
    )
    assert dagster.run(hours=3).success
    first, second, third = (dagster.hours[hour_key(TEN + place * HOUR)] for place in range(3))
    plotted = {name: value for name, value in first.items() if name.startswith("cost_usd of ")}
    assert plotted["cost_usd of odd|`key`"] == pytest.approx(0.0065)
    assert plotted["cost_usd of (empty)"] == pytest.approx(0.006)
    assert plotted["cost_usd of key-10"] == pytest.approx(0.005505)
    assert len(plotted) == 10
    assert "cost_usd of key-02" not in plotted
    table = first["top_customers"].splitlines()
    assert table[2:5] == [
        r"| odd\|\`key\` | 1 | 0.006500000 |",
        "| (empty) | 1 | 0.006000000 |",
        r"| key\-10 | 2 | 0.005505000 |",
    ]
    assert "`wxyc why usage --auth A --hour 2026-06-08T10:00:00Z` explains a row" in table[-1]
    assert "`wxyc bill --auth A --month 2026-06` adds up the month" in table[-1]
    assert {name for name in second if name.startswith("cost_usd")} == {"cost_usd", "cost_usd of key-00"}
    assert third["top_customers"] == "No customer is billed for this hour."


def test_the_plots_of_an_hour_are_what_the_hour_bills(billing, instance):
    """Exact in the table, and the same again by the sums of the rows."""
    dagster = Dagster(instance, billing)
    billing.add(
        *(event("b", (place, 0, 7), auth_id=f"key-{place % 4}", resource_id=f"r{place}") for place in range(20))
    )
    dagster.run()
    rows = billing.query(
        "SELECT auth_id, sum(cost)::text AS cost, sum(event_count) AS events FROM rated_usage GROUP BY 1"
    )
    for row in rows:
        key = row["auth_id"].replace("-", r"\-")
        assert f"| {key} | {row['events']} | {row['cost']} |" in dagster.hours["2026-06-08-10:00"]["top_customers"]
    assert len(rows) == 4


def test_a_plan_over_several_hours_is_green(billing, instance):
    dagster = Dagster(instance, billing)
    billing.add(*(event("b", event_ts=TEN + place * HOUR) for place in range(3)))
    run = dagster.run(hours=3, dry_run=True)
    assert run.success
    assert (instance.get_run_by_id(run.run_id).status, dagster.credited) == (dg.DagsterRunStatus.SUCCESS, ({}, 0))
    assert "all 3 hours" in dagster.dry_run_event(run)["plan"]
