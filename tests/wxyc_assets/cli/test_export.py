"""``wxyc export``: exact rows in CSV and Parquet, in a file that is whole or not there."""

import csv
import io
import random
import sys
from decimal import Decimal

import click
import pyarrow.parquet as pq
import pytest

from tests.wxyc_assets.assets.rated_usage.harness import HOUR, TEN, RatedUsageRuns
from tests.wxyc_assets.assets.rated_usage.histories import random_events, random_prices
from wxyc_assets.assets.rated_usage.reports import export
from wxyc_assets.cli.atomic_file import atomic_file
from wxyc_assets.cli.export import command
from wxyc_assets.cli.outcome import CannotError, Output

WINDOW = ("--since", "2026-06-08T10:00:00Z", "--until", "2026-06-08T12:00:00Z")


@pytest.fixture
def billing(station, tmp_path, monkeypatch):
    """A station in the environment with three rated hours of random usage; an export takes two of them."""
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    billing = RatedUsageRuns(station, folder=tmp_path)
    rng = random.Random(7)
    billing.prices = random_prices(rng)
    billing.add(*random_events(rng, 80, 3))
    for place in range(3):
        billing.rate(TEN + place * HOUR)
    return billing


def run(*arguments, output=None):
    return command.main([*WINDOW, *arguments], standalone_mode=False, obj=output or Output(io.StringIO()))


def stored(billing):
    return billing.query(
        "SELECT * FROM rated_usage WHERE window_start < '2026-06-08T12:00Z' "
        "ORDER BY window_start, auth_id, resource_id, model_id"
    )


@pytest.mark.parametrize("to_file", [True, False])
def test_csv_has_every_row_of_the_window_exactly(billing, tmp_path, to_file):
    path, stdout = tmp_path / "out.csv", io.StringIO(newline="")
    outcome = run(*(["--output", str(path)] if to_file else []), output=Output(stdout))
    text = path.read_bytes().decode() if to_file else stdout.getvalue()
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    wanted = stored(billing)
    assert len(found) == len(wanted) > 10
    for row, expected in zip(found, wanted, strict=True):
        assert (row["auth_id"], row["model_id"]) == (expected["auth_id"], expected["model_id"])
        assert row["cost"] == str(expected["cost"]) or Decimal(row["cost"]) == expected["cost"]
        assert len(row["cost"].partition(".")[2]) == 9
        assert row["window_start"] == f"{expected['window_start']:%Y-%m-%dT%H:%M:%SZ}"
    if to_file:
        assert outcome.printed["rows"] == len(wanted)
        assert Decimal(outcome.printed["total_cost"]) == sum(row["cost"] for row in wanted)


def test_parquet_has_decimals_and_utc_instants(billing, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "ROW_GROUP", 4)
    path = tmp_path / "out.parquet"
    outcome = run("--format", "parquet", "--output", str(path))
    wanted = stored(billing)
    table = pq.read_table(path)
    assert str(table.schema.field("cost").type) == "decimal128(38, 9)"
    names = table.column_names
    assert [tuple(row[name] for name in names) for row in table.to_pylist()] == [
        tuple(row.get(name) for name in names) for row in wanted
    ]
    assert pq.ParquetFile(path).num_row_groups > 1
    assert outcome.printed["rows"] == len(wanted)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_interrupted_export_leaves_the_old_file(billing, tmp_path, monkeypatch, form):
    path = tmp_path / "out"
    path.write_bytes(b"old")

    def interrupt(rows, exported):
        yield next(iter(rows.tuples))
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "_counted", interrupt)
    with pytest.raises(click.Abort):
        run("--format", form, "--output", str(path))
    assert path.read_bytes() == b"old"
    assert {each.name for each in tmp_path.iterdir()} == {"out", "prices.yaml"}


def test_without_pyarrow_the_error_names_the_extra(billing, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CannotError, match=r"wxyc-assets\[parquet\]"):
        run("--format", "parquet", "--output", str(tmp_path / "out"))


def test_what_cannot_be_exported_is_refused(billing, tmp_path):
    with pytest.raises(click.UsageError, match="needs --output"):
        run("--format", "parquet")
    with pytest.raises(CannotError, match="cannot be written"):
        run("--output", str(tmp_path / "none" / "out.csv"))
    with pytest.raises(click.UsageError, match="is not before"):
        run("--until", "2026-06-08T10:00:00Z")


def test_a_failed_block_leaves_the_folder_as_it_was(tmp_path):
    def fail():
        with atomic_file(tmp_path / "out") as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "out").write_bytes(b"old")
    with pytest.raises(ZeroDivisionError):
        fail()
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("out", b"old")]


def test_nothing_follows_rows_on_stdout():
    """A command that fails after its first rows would otherwise end them with an error object."""
    from wxyc_assets.cli.outcome import Outcome

    stdout = io.StringIO()
    Output(stdout, has_rows=True).print(Outcome({"error": "interrupted"}, 1, problem="wxyc: interrupted"))
    assert stdout.getvalue() == ""


def test_export_has_organisations_and_ids_of_any_type(billing, tmp_path):
    for statement in ("ADD COLUMN org_id varchar(64)", "ALTER id TYPE uuid USING id::uuid"):
        billing.execute(f"ALTER TABLE rated_usage {statement}")
    billing.execute("UPDATE rated_usage SET org_id = 'org-1' WHERE model_id = 'b'")
    path, stdout = tmp_path / "out.parquet", io.StringIO(newline="")
    run(output=Output(stdout))
    run("--format", "parquet", "--output", str(path))
    wanted = [(str(row["id"]), row["org_id"]) for row in stored(billing)]
    assert {org for _, org in wanted} == {None, "org-1"}
    assert [(row["id"], row["org_id"]) for row in pq.read_table(path).to_pylist()] == wanted
    found = list(csv.DictReader(io.StringIO(stdout.getvalue(), newline="")))
    assert [(row["id"], row["org_id"] or None) for row in found] == wanted
