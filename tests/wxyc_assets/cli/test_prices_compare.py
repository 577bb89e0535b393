"""``wxyc prices compare``: files or digests, one object, sentences, or CSV."""

import io

import click
import pytest

from tests.wxyc_assets.assets.rated_usage.harness import RatedUsageRuns, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.cli.outcome import CannotError, Output
from wxyc_assets.cli.prices import command

WINDOW = ("--since", "2026-06-08T10:00:00Z", "--until", "2026-06-08T12:00:00Z")


@pytest.fixture
def billing(station, tmp_path, monkeypatch):
    """A station in the environment that a run has rated, and a file ``next.yaml`` in which model b is dearer and c is gone."""
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    billing = RatedUsageRuns(station, folder=tmp_path)
    billing.prices = Prices({"b": ("0.000005", "0", "0"), "c": ("0.000001", "0", "0")})
    billing.add(event(), event("c"), event(auth_id="other"))
    billing.run(run_id="first")
    (tmp_path / "next.yaml").write_text(Prices({"b": ("0.00001", "0", "0")}).yaml())
    return billing


def compare(*arguments, output=None):
    return command.main(["compare", *arguments], standalone_mode=False, obj=output or Output(io.StringIO()))


def test_a_stored_book_is_compared_with_a_file(billing):
    outcome = compare(billing.book.digest[:12], str(billing.folder / "next.yaml"), *WINDOW)
    printed = outcome.printed
    assert (printed["hours"], printed["moved"]) == (2, "0.000900000")
    assert [(row["model_id"], row["auth_id"], row["cost_old"], row["cost_new"]) for row in printed["rows"]] == [
        ("b", "a", "0.000500000", "0.001000000"),
        ("b", "other", "0.000500000", "0.001000000"),
        ("c", "a", "0.000100000", "0.000000000"),
    ]
    assert (printed["old"]["digest"], printed["new"]["unpriced_events"]) == (billing.book.digest, 1)
    text = "\n".join(outcome.lines)
    assert "the new prices move +0.000900000 USD" in text
    assert "-0.000100000  c: 0.000100000 to 0.000000000" in text
    assert "WARN the new prices leave out 1 events without a price" in text


def test_csv_has_a_row_for_each_model_and_customer(billing):
    stdout = io.StringIO()
    compare(str(billing.price_file), str(billing.folder / "next.yaml"), *WINDOW, "--csv", output=Output(stdout))
    lines = stdout.getvalue().splitlines()
    assert lines[0] == "model_id,auth_id,events_old,events_new,cost_old,cost_new,moved"
    assert lines[1] == "b,a,1,1,0.000500000,0.001000000,0.000500000"
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("old", "says"),
    [("0123456789ab", "no price book of this station"), ("nowhere.yaml", "nowhere.yaml cannot be used")],
)
def test_prices_that_are_not_there_are_refused(billing, old, says):
    with pytest.raises(CannotError, match=says):
        compare(old, str(billing.price_file), *WINDOW)


def test_a_window_that_cannot_be_rated_is_a_usage_error(billing):
    with pytest.raises(click.UsageError, match="--since june"):
        compare("old.yaml", "new.yaml", "--since", "june")
