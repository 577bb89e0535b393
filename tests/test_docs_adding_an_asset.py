"""docs/adding-an-asset.md builds an asset that works: each of its blocks is applied to a copy of the project.

In the copy the asset runs through the program, and the tests of the documents, the registry and the runbook pass.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from resources.postgres import Postgres
from tests.documents import ADDING_AN_ASSET, NEW_ASSET, ROOT
from tests.system import SYSTEM
from wxyc_assets.sandbox import station as sandbox_station

BLOCK = re.compile(
    r"^`(?P<path>[\w/.-]+)`(?:, (?P<where>after|before) (?:`` ?(?P<quoted>.+?) ?``|`(?P<line>[^`\n]+)`))?:\n\n"
    r"```\w+\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
NEW_TESTS = f"tests/wxyc_assets/assets/{NEW_ASSET}"
NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".*_cache", "__pycache__", ".hypothesis", ".coverage*", "*.egg-info"
)


@dataclass(frozen=True)
class Copy:
    """The project with the new asset, a station, and the environment of a program that works on both."""

    folder: Path
    environ: dict[str, str]

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False)

    def wxyc(self, *arguments: str) -> Any:
        done = self.run(sys.executable, "-m", "wxyc_assets", *arguments)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


def apply(folder: Path, path: str, body: str, where: str | None, anchor: str) -> None:
    """Write a new file, or insert a block after or before the one line that begins with the anchor."""
    file = folder / path
    if where is None:
        assert not file.exists(), f"{path} exists, so the page must say where in it the block goes"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(body)
        return
    lines = file.read_text().splitlines(keepends=True)
    (place,) = (number for number, line in enumerate(lines) if line.startswith(anchor))
    lines.insert(place + (where == "after"), body)
    file.write_text("".join(lines))


@pytest.fixture(scope="module")
def copy(tmp_path_factory, server) -> Iterator[Copy]:
    folder = tmp_path_factory.mktemp("copy") / "project"
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED, symlinks=True)
    for block in BLOCK.finditer(ADDING_AN_ASSET.text):
        apply(folder, block["path"], block["body"], block["where"], block["quoted"] or block["line"] or "")
    station, storage = server.create_database(), server.create_database()
    with Postgres(station).connect() as connection:
        sandbox_station.create(connection, sample=True)
    home = str(tmp_path_factory.mktemp("home"))
    yield Copy(
        folder,
        {
            **SYSTEM,
            "PYTHONPATH": str(folder),  # before the project itself, which is installed from ROOT
            "HOME": home,
            "WXYC_HOME": home,
            "DATABASE_URL": station,
            "DAGSTER_DATABASE_URL": storage,
            "WXYC_TEST_DATABASE_URL": server.dsn("postgres"),
        },
    )
    server.drop_database(station)
    server.drop_database(storage)


@pytest.fixture(scope="module")
def printed(copy) -> Any:
    """What a run of the new asset printed, on the sample station with a few unclean names."""
    assert "error" not in copy.wxyc("migrate")
    with psycopg.connect(copy.environ["DATABASE_URL"]) as connection:
        connection.execute("UPDATE wxyc_schema.library SET artist_name = ' ' || artist_name WHERE id % 50 = 0")
    return copy.wxyc("run", NEW_ASSET)


def test_every_block_with_a_path_is_applied():
    blocks = len(re.findall(r"^```(?:python|sql|markdown)$", ADDING_AN_ASSET.text, re.MULTILINE))
    assert len(list(BLOCK.finditer(ADDING_AN_ASSET.text))) == blocks > 10


def test_the_new_asset_runs(printed):
    totals, checks = printed["totals"], {check["name"]: check["passed"] for check in printed["checks"]}
    assert totals["scanned"] == sum(count for bucket, count in totals.items() if bucket != "scanned") > 100
    assert totals["padded"] > 0
    assert checks == {"accounting_holds": True, "artist_names_clean": False}


def test_the_status_has_the_new_asset(copy, printed):
    status = copy.wxyc("status")["assets"][NEW_ASSET]
    assert (status["partitions"]["fresh"], status["last_good_run"]) == (1, printed["run_ids"][0])
    assert status["open_alerts"] == 1


def test_the_alerts_have_the_failed_check(copy, printed):
    (alert,) = (alert for alert in copy.wxyc("alerts")["alerts"] if alert["asset"] == NEW_ASSET)
    assert (alert["source"], alert["severity"]) == ("artist_names_clean", "warning")
    assert alert["runbook"] == "docs/operations.md#artist_names_clean"


def test_the_doctor_names_a_missing_privilege(copy, printed):
    """The new asset is the only one that reads genres."""
    with psycopg.connect(copy.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("ALTER TABLE wxyc_schema.genres RENAME TO kinds")
        examined = json.dumps(copy.wxyc("doctor"))
        connection.execute("ALTER TABLE wxyc_schema.kinds RENAME TO genres")
    assert "missing in schema wxyc_schema: genres" in examined
    assert "missing in schema" not in json.dumps(copy.wxyc("doctor"))


def test_a_dry_run_of_the_new_asset_writes_nothing(copy, printed):
    dry = copy.wxyc("run", NEW_ASSET, "--dry-run")
    assert (dry["dry_run"], dry["totals"]) == (True, printed["totals"])
    with psycopg.connect(copy.environ["DATABASE_URL"]) as connection:
        tallies = connection.execute("SELECT run_id FROM wxyc_assets.tally WHERE asset = %s", [NEW_ASSET]).fetchall()
    assert tallies == [(printed["run_ids"][0],)]


@pytest.mark.parametrize("command", ["ruff check", "ruff format --check", "lint-imports --no-cache"])
def test_the_code_of_the_page_passes_the_tools(copy, command):
    tool, *arguments = command.split()
    files = sorted({block["path"] for block in BLOCK.finditer(ADDING_AN_ASSET.text) if block["path"].endswith(".py")})
    done = copy.run(str(Path(sys.executable).with_name(tool)), *arguments, *(files if tool == "ruff" else []))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tests_of_the_documents_pass_with_the_new_asset(copy):
    """Its own tests pass, its SQL is valid, and the page names only what exists in the copy."""
    files = ["test_docs.py", "test_docs_runbook.py", "test_sql_files.py", "wxyc_assets/assets/test_registry.py"]
    done = copy.run(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", NEW_TESTS, *(f"tests/{f}" for f in files)
    )
    assert done.returncode == 0, done.stdout + done.stderr
