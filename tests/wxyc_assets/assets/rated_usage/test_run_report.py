from wxyc_assets.rated_usage.counters import Counters, Rated
from wxyc_assets.rated_usage.money import Usd
from wxyc_assets.rated_usage.run_report import HourDone, Request, RunReport

HOURS = [f"2026-06-08-{hour:02}:00" for hour in range(10, 18)]


def report(**overrides):
    return RunReport(Request("run", "explicit", HOURS, trailing=24), **overrides)


def test_the_window_goes_from_the_first_hour_to_the_end_of_the_last():
    assert report().window_text == "[2026-06-08T10:00:00Z,2026-06-08T18:00:00Z)"


def test_hours_in_a_row_with_one_problem_are_named_once_by_their_ends():
    refused = dict.fromkeys([*HOURS[:3], HOURS[5]], "being worked on by run x")
    stopped = report(refused=refused, failed={HOURS[3]: "disk full"})
    assert stopped.verdict == "failed"
    assert stopped.reason == (
        "hour 2026-06-08-10:00 to 2026-06-08-12:00, 2026-06-08-15:00: being worked on by run x; "
        "hour 2026-06-08-13:00: disk full"
    )


def test_a_year_of_hours_in_one_trouble_fits_into_a_sentence():
    from datetime import timedelta

    from wxyc_assets.rated_usage.windows import FIRST_HOUR, key

    year = [key(FIRST_HOUR + timedelta(hours=place)) for place in range(8760)]
    assert report(failed=dict.fromkeys(year, "the database is gone")).reason == (
        "hour 2026-01-01-00:00 to 2026-12-31-23:00: the database is gone"
    )


def test_the_plan_has_each_hour_and_the_total_with_the_money_moved():
    hours = {
        hour: HourDone(hour, Rated(Counters(rows_inserted=2), Usd(9), Usd(4), Usd(6), Usd(1)), "digest")
        for hour in HOURS[:2]
    }
    plan = report(done=hours).plan
    assert {
        hour: (numbers["rows_inserted"], str(numbers["cost_moved"])) for hour, numbers in plan["hours"].items()
    } == dict.fromkeys(HOURS[:2], (2, "0.000000005"))
    assert (plan["total"]["rows_inserted"], str(plan["total"]["cost_moved"])) == (4, "0.000000010")
