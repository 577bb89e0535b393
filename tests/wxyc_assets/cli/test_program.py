"""The program: its help, its output, its exit codes."""

import json
import os
import subprocess
import sys

import pytest

from tests.system import SYSTEM
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


# Arguments and variables that are not UTF-8, and secrets in tracebacks


def wxyc_with_bytes(*arguments: bytes, **variables: bytes) -> "subprocess.CompletedProcess[bytes]":
    environ = {**{name.encode(): value.encode() for name, value in SYSTEM.items()}}
    environ |= {name.encode(): value for name, value in variables.items()}
    command = [sys.executable.encode(), b"-c", b"from wxyc_assets.cli import main; main()", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        [b"\xff"],
        [b"run", b"\xff\xfe"],
        [b"run", b"rated_usage", b"--since", b"2026\xff"],
        [b"prices", b"check", b"/tmp/\xff.yaml"],
        [b"rated", b"accept", b"--reason", b"late\xe9"],
        [b"\xff", b"--json"],
    ],
)
def test_an_argument_that_is_not_utf_8_is_one_object(arguments, tmp_path):
    finished = wxyc_with_bytes(*arguments, WXYC_HOME=bytes(tmp_path))
    assert finished.returncode == 1
    assert "is not UTF-8; write it anew" in json.loads(finished.stdout)["error"]
    assert b"Traceback" not in finished.stderr


@pytest.mark.parametrize(
    "name", ["WXYC_HOME", "DATABASE_URL", "LML_API_KEY", "PRICE_FILE", "SENTRY_RELEASE", "RATE_TRAILING_HOURS"]
)
def test_a_setting_that_is_not_utf_8_is_named(name, tmp_path):
    """By doctor, which looks at all of them; a variable that is no setting of ours changes nothing."""
    finished = wxyc_with_bytes(b"doctor", **{"WXYC_HOME": bytes(tmp_path), "OTHER": b"\xff", name: b"/\xff\xfe"})
    findings = {finding["name"]: finding["says"] for finding in json.loads(finished.stdout)["findings"]}
    assert finished.returncode == 1
    assert findings[f"setting {name}"] == "holds bytes that are not UTF-8; write it anew"
    assert b"Traceback" not in finished.stderr


def test_a_home_that_is_not_utf_8_is_one_object(tmp_path):
    finished = wxyc_with_bytes(b"status", WXYC_HOME=bytes(tmp_path) + b"/\xff")
    assert finished.returncode == 1
    assert "WXYC_HOME: holds bytes that are not UTF-8" in json.loads(finished.stdout)["error"]


def test_a_traceback_has_no_secret():
    broken = "from wxyc_assets.cli import main, program\nprogram.run = lambda _: {}['sk-7f3a9c, sk%2d7f3a9c']\nmain()"
    finished = subprocess.run(
        [sys.executable, "-c", broken],
        env=SYSTEM | {"LML_API_KEY": "sk-7f3a9c"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 1
    assert "KeyError: '[redacted], [redacted]'" in finished.stderr
    assert "sk-7f3a9c" not in finished.stderr
