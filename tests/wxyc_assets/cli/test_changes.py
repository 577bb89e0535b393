"""``wxyc changes``: one object, sentences, or CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta

import click
import pytest

from tests.wxyc_assets.assets.rated_usage.harness import RatedUsageRuns, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.cli.changes import command
from wxyc_assets.cli.changes_view import MAX_SHOWN
from wxyc_assets.cli.outcome import Output

SINCE = "2026-01-01T00:00:00Z"


@pytest.fixture
def billing(station, tmp_path, monkeypatch):
    """A station in the environment, with a row that was billed, and then changed by other prices."""
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    billing = RatedUsageRuns(station, folder=tmp_path)
    billing.add(event("b", auth_id="comma, inc"))
    billing.rate(run_id="first", origin="routine")
    billing.prices = Prices({"b": ("0.00001", "0.0000005", "0.00002")})
    billing.rate(run_id="second")
    return billing


def changes(*arguments, output=None):
    return command.main([*arguments], standalone_mode=False, obj=output or Output(io.StringIO()))


def test_changes_are_listed_with_cause_and_sums(billing):
    outcome = changes("--since", SINCE)
    assert [(c["kind"], c["cost_before"], c["cost_after"], c["cause"]) for c in outcome.printed["changes"]] == [
        ("insert", None, "0.000500000", "events"),
        ("change", "0.000500000", "0.001000000", "prices"),
    ]
    assert [(each["cause"], each["moved"]) for each in outcome.printed["by_cause"]] == [
        ("events", "0.000500000"),
        ("prices", "0.000500000"),
    ]
    assert outcome.printed["total"]["cost_after"] == "0.001500000"
    text = "\n".join(outcome.lines)
    assert f"1 rows inserted, 1 changed, 0 deleted, +0.001000000 USD since {SINCE}" in text
    assert "  cause prices: 0 rows inserted, 1 changed, 0 deleted, +0.000500000 USD" in text
    assert f"explicit run second, price file {billing.book.digest[:12]}, cause prices" in text
    assert "changed from 0.000500000 to 0.001000000 USD, cause prices, run second" in text


def test_terminal_shows_the_first_changes_and_counts_the_rest(billing):
    billing.add(*(event(resource_id=f"r-{number}") for number in range(MAX_SHOWN)))
    billing.rate(run_id="third")
    outcome = changes("--since", SINCE)
    assert len(outcome.printed["changes"]) == MAX_SHOWN + 2
    assert outcome.lines[-1] == "  and 2 more: --csv or --json lists all"


def test_csv_has_a_header_and_exact_text(billing):
    stdout = io.StringIO()
    outcome = changes("--since", SINCE, "--csv", output=Output(stdout))
    assert (outcome.printed, outcome.lines) == ({}, ())
    rows = list(csv.DictReader(io.StringIO(stdout.getvalue())))
    assert [(row["auth_id"], row["cost_before"], row["cost_after"]) for row in rows] == [
        ("comma, inc", "", "0.000500000"),
        ("comma, inc", "0.000500000", "0.001000000"),
    ]
    assert rows[0]["window_start"] == "2026-06-08T10:00:00Z"


def test_csv_in_a_process_is_all_that_stdout_has(billing, wxyc, at_station):
    finished = wxyc(
        "changes", "--since", "2126-01-01T00:00:00Z", "--until", "2127-01-01T00:00:00Z", "--csv", **at_station
    )
    assert finished.exit_code == 0
    assert finished.stdout.splitlines() == [finished.stdout.strip()]
    assert finished.stdout.startswith("change_id,changed_at,window_start,auth_id")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "--since"),
        (["--since", "june"], "--since june: is not an instant"),
        (["--since", SINCE, "--until", "2026-01-01"], "--until 2026-01-01: is not an instant"),
        (["--since", SINCE, "--until", SINCE], "is not before --until"),
        (["--since", "2126-01-01T00:00:00Z"], "is not before now"),
    ],
)
def test_a_time_that_cannot_be_read_is_a_usage_error(billing, arguments, says):
    with pytest.raises(click.UsageError) as raised:
        changes(*arguments)
    assert says in raised.value.format_message()


def test_csv_and_json_exclude_each_other(billing):
    with pytest.raises(click.UsageError, match="leave one out"):
        changes("--since", SINCE, "--csv", output=Output(io.StringIO(), wants_json=True))


def test_no_change_is_said_in_one_line(billing):
    since = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    billing.execute("UPDATE wxyc_assets.usage_change SET changed_at = '2026-06-01'")
    (line,) = changes("--since", since).lines
    assert line.startswith("no billed row changed since")
