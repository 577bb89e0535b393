"""The table of a plan: what would change, hour by hour, in exact amounts."""

from wxyc_assets.assets.rated_usage.counters import Counters, RatingResult
from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.assets.rated_usage.plan import MAX_SHOWN_HOURS, plan_markdown

RIGHT = RatingResult(Counters(rollups_written=2, rows_unchanged=2), total_cost=Usd(700), cost_before=Usd(700))
DEARER = RatingResult(
    Counters(rollups_written=2, rows_inserted=1, rows_changed=1),
    total_cost=Usd(1_500_000_001), cost_before=Usd(1_000_000_000), cost_raised=Usd(500_000_001),
)  # fmt: skip
GONE = RatingResult(Counters(reconciled_deletions=3), cost_before=Usd(20), cost_lowered=Usd(20))


def rows(hours):
    return [line for line in plan_markdown(hours).splitlines() if line.startswith("| ")][1:]


def test_a_row_has_the_changes_and_costs_of_an_hour():
    assert rows({"10": DEARER, "11": GONE})[:2] == [
        "| 10 | 1 | 1 | 0 | 1.000000000 | 1.500000001 | +0.500000001 |",
        "| 11 | 0 | 0 | 3 | 0.000000020 | 0.000000000 | -0.000000020 |",
    ]


def test_the_last_row_has_the_total_of_all_hours():
    assert rows({"11": GONE, "10": DEARER, "12": RIGHT})[-1] == (
        "| all 3 hours | 1 | 1 | 3 | 1.000000720 | 1.500000701 | +0.499999981 |"
    )


def test_unchanged_hours_are_counted_but_not_listed():
    plan = plan_markdown({"10": DEARER, "11": RIGHT, "12": RIGHT})
    assert plan.endswith("2 of the 3 hours would not change.")
    assert "| 11 |" not in plan
    assert plan_markdown({"11": RIGHT, "12": RIGHT}).startswith(
        "Rating would change nothing: all hours (2) already match"
    )


def test_only_the_first_of_many_hours_are_shown():
    many = {f"{hour:04}": GONE for hour in range(MAX_SHOWN_HOURS + 2)}
    shown = rows(many)
    assert shown[MAX_SHOWN_HOURS - 1].startswith("| 0199 |")
    assert shown[MAX_SHOWN_HOURS:] == [
        "| and 2 more | | | | | | |",
        "| all 202 hours | 0 | 0 | 606 | 0.000004040 | 0.000000000 | -0.000004040 |",
    ]
