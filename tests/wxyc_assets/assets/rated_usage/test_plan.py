"""The plan as people read it: what would change, hour by hour, in amounts that are exact."""

from wxyc_assets.rated_usage.counters import Counters, Rated
from wxyc_assets.rated_usage.money import Usd
from wxyc_assets.rated_usage.plan import SHOWN_HOURS, plan_markdown

RIGHT = Rated(Counters(rollups_written=2, rows_unchanged=2), total_cost=Usd(700), cost_before=Usd(700))
DEARER = Rated(
    Counters(rollups_written=2, rows_inserted=1, rows_changed=1),
    total_cost=Usd(1_500_000_001), cost_before=Usd(1_000_000_000), cost_raised=Usd(500_000_001),
)  # fmt: skip
GONE = Rated(Counters(reconciled_deletions=3), cost_before=Usd(20), cost_lowered=Usd(20))


def rows(hours):
    return [line for line in plan_markdown(hours).splitlines() if line.startswith("| ")][1:]


def test_a_row_says_what_becomes_of_an_hour_and_of_its_money():
    assert rows({"10": DEARER, "11": GONE})[:2] == [
        "| 10 | 1 | 1 | 0 | 1.000000000 | 1.500000001 | +0.500000001 |",
        "| 11 | 0 | 0 | 3 | 0.000000020 | 0.000000000 | -0.000000020 |",
    ]


def test_the_last_row_is_all_hours_together_those_that_stay_included():
    assert rows({"11": GONE, "10": DEARER, "12": RIGHT})[-1] == (
        "| all 3 hours | 1 | 1 | 3 | 1.000000720 | 1.500000701 | +0.499999981 |"
    )


def test_hours_that_stay_as_they_are_are_counted_and_not_listed():
    plan = plan_markdown({"10": DEARER, "11": RIGHT, "12": RIGHT})
    assert plan.endswith("2 of the 3 hours would stay as they are.")
    assert "| 11 |" not in plan
    assert plan_markdown({"11": RIGHT, "12": RIGHT}).startswith("Rating would change nothing: all hours (2) are")


def test_of_very_many_hours_the_first_are_shown_and_all_are_added_up():
    many = {f"{hour:04}": GONE for hour in range(SHOWN_HOURS + 2)}
    shown = rows(many)
    assert shown[SHOWN_HOURS - 1].startswith("| 0199 |")
    assert shown[SHOWN_HOURS:] == [
        "| and 2 more | | | | | | |",
        "| all 202 hours | 0 | 0 | 606 | 0.000004040 | 0.000000000 | -0.000004040 |",
    ]
