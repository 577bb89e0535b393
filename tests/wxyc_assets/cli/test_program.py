"""The program: its help, its output, its exit codes."""

import os
import subprocess
import sys

import pytest

from wxyc_assets.cli.commands import COMMANDS


def test_help_lists_every_command_on_stdout(wxyc):
    shown = wxyc("--help")
    assert shown.exit_code == 0
    assert all(f"\n  {name} " in shown.stdout for name in COMMANDS)
    assert "Exit codes: 0 done, 1 failed, 2 done, with an anomaly to look at" in shown.stdout.replace("\n  ", " ")


def test_help_has_the_synopsis_of_each_command_on_one_line(wxyc):
    shown = wxyc("--help", COLUMNS="80").stdout.splitlines()
    for synopsis in (
        "run ASSET [--partition K]... [--since T] [--until T]",
        "why usage --auth A --hour H",
        "alerts [--recovered]",
    ):
        assert sum(line.startswith(f"  {synopsis}") for line in shown) == 1


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(wxyc, name):
    shown = wxyc(name, "--help")
    assert shown.exit_code == 0
    assert len(shown.stdout.splitlines()) > 5
    assert "\\b" not in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["run"], "Missing argument"),
        (["run", "no_such_asset"], "is not"),
        (["run", "library_identity", "--partition", "16"], "0 to 15"),
        (["run", "library_identity", "--partition", "-1"], "0 to 15"),
        (["run", "library_identity", "--partition", "\N{ARABIC-INDIC DIGIT THREE}"], "0 to 15"),
        (["sandbox", "lml", "--port", "many"], "not a valid integer"),
    ],
)
def test_usage_error_exits_1_with_one_object_and_the_reason(wxyc, arguments, says):
    finished = wxyc(*arguments)
    assert finished.exit_code == 1
    assert says in finished.printed["error"]
    assert "Usage: wxyc" in finished.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["prices", "check", "/no/such/file"]])
def test_reader_that_has_read_enough_is_no_error(environ, arguments):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        finished = subprocess.run(
            [sys.executable, "-m", "wxyc_assets", *arguments],
            env=environ, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
        )  # fmt: skip
    finally:
        os.close(writer)
    assert "Traceback" not in finished.stderr
    assert "BrokenPipe" not in finished.stderr


def test_all_bad_settings_are_named_at_once(wxyc):
    finished = wxyc(
        "run",
        "library_identity",
        DATABASE_URL="mysql://x",
        LIBRARY_METADATA_URL="ftp://x",
        STALE_THRESHOLD_DAYS="0",
        SENTRY_TRACES_SAMPLE_RATE="2",
    )
    assert finished.exit_code == 1
    for name in ("DATABASE_URL", "LIBRARY_METADATA_URL", "STALE_THRESHOLD_DAYS", "SENTRY_TRACES_SAMPLE_RATE"):
        assert name in finished.printed["error"]
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    "arguments", [["run", "library_identity"], ["status"], ["migrate"], ["demo"], ["up"], ["psql"]]
)
def test_jobs_variables_are_refused_before_anything_starts(wxyc, tmp_path, arguments):
    """The env file of the jobs has DB_HOST and no DATABASE_URL: without a refusal the embedded server would be used."""
    home = str(tmp_path / "home")
    finished = wxyc(*arguments, WXYC_HOME=home, DB_HOST="db.example.org", DB_PASSWORD="hunter2", DRY_RUN="true")
    assert finished.exit_code == 1
    for name in ("DB_HOST", "DB_PASSWORD", "DRY_RUN"):
        assert f"{name}: is a variable of the cron jobs" in finished.printed["error"]
    assert "hunter2" not in finished.stdout + finished.stderr
    assert list(tmp_path.iterdir()) == []


def test_doctor_names_the_jobs_variables(wxyc, tmp_path):
    finished = wxyc("doctor", WXYC_HOME=str(tmp_path / "home"), RECHECK="1", THROTTLE_MS="50")
    found = {finding["name"]: finding for finding in finished.printed["findings"]}
    assert (finished.exit_code, found["setting RECHECK"]["ok"]) == (1, False)
    assert "THROTTLE_MS (LML_DISCOGS_BUDGET_PER_MIN replaces it)" in found["variables of the cron jobs"]["says"]
