import json

from tests.wxyc_assets.rated_usage.billing import HOUR, TEN, event
from tests.wxyc_assets.rated_usage.oracle import Prices
from wxyc_assets.cli.launch import added
from wxyc_assets.rated_usage.report import materialization, summary


def printed(numbers):
    """As the command line prints it."""
    return json.loads(json.dumps(added([numbers]), default=str))


def test_money_is_printed_as_exact_decimal_text_and_counts_as_numbers(billing):
    billing.prices = Prices({"b": ("0.000000001", "0", "0")})
    billing.add(event("b", (1, 0, 0)), event("b", (12345, 0, 0), event_ts=TEN + HOUR))
    totals = printed(summary(billing.run(hours=2)).totals)
    assert (totals["total_cost"], totals["cost_before"], totals["rollups_written"]) == ("0.000012346", "0.000000000", 2)


def test_a_plan_is_printed_by_hour_and_in_total_and_a_run_has_none(billing):
    billing.add(event(), event(event_ts=TEN + HOUR))
    report = printed(summary(billing.run(hours=2, dry_run=True)).dry_run_report)
    assert list(report) == ["hours", "total"]
    hour = report["hours"]["2026-06-08-11:00"]
    assert (hour["rows_inserted"], hour["rows_changed"], hour["reconciled_deletions"]) == (1, 0, 0)
    assert (hour["cost_moved"], report["total"]["cost_moved"]) == ("0.000500000", "0.001000000")
    assert summary(billing.run(hours=2)).dry_run_report is None


def test_the_credit_of_an_hour_plots_numbers_and_keeps_money_exact(billing):
    billing.add(event("b", (100, 30, 50)), event("nobody-knows-it"))
    billing.run()
    (done,) = billing.credited
    metadata = {name: value.value for name, value in materialization(done).metadata.items()}
    assert (metadata["total_cost"], metadata["cost_usd"]) == ("0.001365000", 0.001365)
    assert (metadata["anomalies"], metadata["unpriced_events"], metadata["rollups"]) == (1, 1, 1)
    assert "| 1 | events without a price |" in metadata["outcome"]
