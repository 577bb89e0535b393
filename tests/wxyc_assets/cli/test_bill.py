"""``wxyc bill``: one object, sentences, or CSV; what cannot be billed is refused."""

import csv
import io

import click
import pytest

from tests.wxyc_assets.assets.rated_usage.harness import RatedUsageRuns, event
from wxyc_assets.cli.bill import command
from wxyc_assets.cli.outcome import CannotError, Output

MONTH = ("--month", "2026-06")


@pytest.fixture
def billing(station, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    monkeypatch.setenv("BILLING_START", "2026-06-08T10:00:00Z")
    billing = RatedUsageRuns(station, folder=tmp_path)
    billing.add(event("b", (100, 30, 50)), event("b", resource_id="s"))
    billing.rate()
    return billing


def bill(*arguments, output=None):
    return command.main([*arguments], standalone_mode=False, obj=output or Output(io.StringIO()))


def test_bill_has_totals_and_names_hours_that_are_not_rated(billing):
    outcome = bill("--auth", "a", *MONTH)
    assert outcome.exit_code == 2
    assert outcome.printed["total"]["cost"] == "0.001865000"
    assert [(row["resource_id"], row["cost"]) for row in outcome.printed["by_deployment"]] == [
        ("r", "0.001365000"),
        ("s", "0.000500000"),
    ]
    assert outcome.printed["coverage"]["hours_rated"] == 1
    text = "\n".join(outcome.lines)
    assert "a is billed 0.001865000 USD for 2026-06, 2 events" in text
    assert "WARN 541 closed hours are not rated: 2026-06-08-11:00 to 2026-06-30-23:00" in text


def test_complete_month_exits_0(billing):
    billing.execute(
        "INSERT INTO wxyc_assets.rated_hour SELECT h, now(), 'run', 'digest', 0, '-infinity' "
        "FROM generate_series('2026-06-08T11:00Z', '2026-06-30T23:00Z'::timestamptz, '1 hour') h"
    )
    outcome = bill("--auth", "a", *MONTH)
    assert (outcome.exit_code, outcome.printed["coverage"]["complete"]) == (0, True)
    assert outcome.lines[-1] == "ok   all 542 closed hours of the month are rated"


def test_csv_has_the_rows_and_says_on_stderr_what_is_missing(billing):
    stdout = io.StringIO()
    outcome = bill("--auth", "a", *MONTH, "--csv", output=Output(stdout))
    assert outcome.exit_code == 2
    assert "541 closed hours are not rated" in outcome.problem
    assert [row["cost"] for row in csv.DictReader(io.StringIO(stdout.getvalue()))] == ["0.001365000", "0.000500000"]


def test_unknown_customer_and_month_ahead_are_refused(billing):
    with pytest.raises(CannotError, match="no event and no bill names the customer zz; customers are a"):
        bill("--auth", "zz", *MONTH)
    with pytest.raises(CannotError, match="has not begun yet"):
        bill("--auth", "a", "--month", "2126-06")
    with pytest.raises(click.UsageError, match="--month june"):
        bill("--auth", "a", "--month", "june")


def test_customer_without_usage_in_the_month_is_billed_nothing(billing):
    assert bill("--auth", "a", "--month", "2026-05").lines[0] == "a is billed 0.000000000 USD for 2026-05, 0 events"


def test_organisations_are_shown_where_the_tables_have_them(billing):
    assert [row["org_id"] for row in bill("--auth", "a", *MONTH).printed["by_organisation"]] == [None]
    billing.execute("ALTER TABLE rated_usage ADD COLUMN org_id varchar(64)")
    billing.execute("UPDATE rated_usage SET org_id = 'org-1' WHERE resource_id = 's'")
    outcome = bill("--auth", "a", *MONTH)
    assert [(row["org_id"], row["cost"]) for row in outcome.printed["by_organisation"]] == [
        (None, "0.001365000"),
        ("org-1", "0.000500000"),
    ]
    assert [(row["resource_id"], row["org_id"]) for row in outcome.printed["rows"]] == [("r", None), ("s", "org-1")]
    assert "0.000500000  org-1, 1 events" in "\n".join(outcome.lines)
    assert "None" not in "\n".join(outcome.lines)
