import json

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.assets.rated_usage.counters import Counters, RatingResult
from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.assets.rated_usage.run_report import HourDone, Request, RunReport
from wxyc_assets.cli.launch import add_up

HOURS = [f"2026-06-08-{hour:02}:00" for hour in range(10, 18)]


def report(**overrides):
    return RunReport(Request("run", "explicit", HOURS, trailing=24), **overrides)


def test_the_window_spans_all_requested_hours():
    assert report().window_text == "[2026-06-08T10:00:00Z,2026-06-08T18:00:00Z)"


def test_consecutive_hours_with_one_problem_are_named_as_a_range():
    refused = dict.fromkeys([*HOURS[:3], HOURS[5]], "being worked on by run x")
    stopped = report(refused=refused, failed={HOURS[3]: "disk full"})
    assert stopped.verdict == "failed"
    assert stopped.reason == (
        "hour 2026-06-08-10:00 to 2026-06-08-12:00, 2026-06-08-15:00: being worked on by run x; "
        "hour 2026-06-08-13:00: disk full"
    )


def test_a_year_of_hours_with_one_problem_fits_into_one_reason():
    from datetime import timedelta

    from wxyc_assets.runs.partitions import FIRST_HOUR, hour_key

    year = [hour_key(FIRST_HOUR + timedelta(hours=place)) for place in range(8760)]
    assert report(failed=dict.fromkeys(year, "the database is gone")).reason == (
        "hour 2026-01-01-00:00 to 2026-12-31-23:00: the database is gone"
    )


def test_the_plan_has_each_hour_and_the_total():
    hours = {
        hour: HourDone(hour, RatingResult(Counters(rows_inserted=2), Usd(9), Usd(4), Usd(6), Usd(1)), "digest")
        for hour in HOURS[:2]
    }
    plan = report(done=hours).plan
    assert {
        hour: (numbers["rows_inserted"], str(numbers["cost_moved"])) for hour, numbers in plan["hours"].items()
    } == dict.fromkeys(HOURS[:2], (2, "0.000000005"))
    assert (plan["total"]["rows_inserted"], str(plan["total"]["cost_moved"])) == (4, "0.000000010")


def printed(numbers):
    """The numbers as the command line prints them."""
    return json.loads(json.dumps(add_up([numbers]), default=str))


def test_totals_print_money_as_exact_text_and_counts_as_numbers(billing):
    billing.prices = Prices({"b": ("0.000000001", "0", "0")})
    billing.add(event("b", (1, 0, 0)), event("b", (12345, 0, 0), event_ts=TEN + HOUR))
    totals = printed(billing.run(hours=2).summary().totals)
    assert (totals["total_cost"], totals["cost_before"], totals["rollups_written"]) == ("0.000012346", "0.000000000", 2)


def test_only_a_dry_run_has_a_plan_by_hour_and_in_total(billing):
    billing.add(event(), event(event_ts=TEN + HOUR))
    report = printed(billing.run(hours=2, dry_run=True).summary().dry_run_report)
    assert list(report) == ["hours", "total"]
    hour = report["hours"]["2026-06-08-11:00"]
    assert (hour["rows_inserted"], hour["rows_changed"], hour["reconciled_deletions"]) == (1, 0, 0)
    assert (hour["cost_moved"], report["total"]["cost_moved"]) == ("0.000500000", "0.001000000")
    assert billing.run(hours=2).summary().dry_run_report is None
