"""``wxyc prices check``: one object, an exit code, and a line for each problem."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SANDBOX = Path(__file__).parents[3] / "wxyc_assets/sandbox/catalogue/prices.yaml"


def test_valid_file_exits_0_with_digest_and_model_count(wxyc):
    finished = wxyc("prices", "check", str(SANDBOX))
    assert finished.exit_code == 0
    assert finished.printed == {
        "file": str(SANDBOX),
        "digest": hashlib.sha256(SANDBOX.read_bytes()).hexdigest(),
        "version": 1,
        "models": 6,
        "problems": [],
    }
    assert finished.stderr == f"ok   {SANDBOX}: 6 models have a price, 5 can be fine-tuned\n"


def test_bad_file_exits_1_with_every_problem_and_its_line(wxyc, tmp_path):
    path = tmp_path / "prices.yaml"
    path.write_text('version: 1\nbase_models:\n  b: {prompt: 1e-7, cached: "-1", completion: "\N{SNOWMAN}"}\n')
    finished = wxyc("prices", "check", str(path))
    assert finished.exit_code == 1
    assert finished.printed == {
        "file": str(path),
        "digest": hashlib.sha256(path.read_bytes()).hexdigest(),
        "version": None,
        "models": None,
        "problems": [
            {"line": 3, "message": "base model 'b': prompt '1e-7' is not a plain decimal such as \"0.000000150\""},
            {"line": 3, "message": "base model 'b': cached '-1' is negative: a price never pays the customer"},
            {"line": 3, "message": "base model 'b': completion '\N{SNOWMAN}' is not a plain decimal such as \"0.000000150\""},
        ],
    }  # fmt: skip
    *lines, verdict = finished.stderr.splitlines()
    assert lines == [f"{path}:3: {problem['message']}" for problem in finished.printed["problems"]]
    assert verdict == f"FAIL {path}: 3 to correct; rating refuses it as it is"


@pytest.mark.parametrize("name", ["missing.yaml", ".", "\N{SNOWMAN}"])
def test_unreadable_file_is_a_problem_without_a_line(wxyc, tmp_path, name):
    finished = wxyc("prices", "check", str(tmp_path / name))
    assert finished.exit_code == 1
    (problem,) = finished.printed["problems"]
    assert problem["line"] is None
    assert problem["message"].startswith("cannot be read: ")
    assert finished.printed["digest"] is None
    assert "Traceback" not in finished.stderr


def test_file_can_come_from_a_pipe(wxyc, environ):
    program = [sys.executable, "-m", "wxyc_assets", "prices", "check", "/dev/stdin"]
    finished = subprocess.run(program, input=SANDBOX.read_bytes(), env=environ, capture_output=True, check=True)
    assert json.loads(finished.stdout)["models"] == 6


def test_pipe_that_is_no_stdin_is_refused(wxyc, tmp_path):
    os.mkfifo(tmp_path / "prices.yaml")
    finished = wxyc("prices", "check", str(tmp_path / "prices.yaml"))
    assert finished.exit_code == 1
    assert finished.printed["problems"][0]["message"].startswith("is no regular file")


def test_check_ignores_the_price_file_setting(wxyc):
    assert wxyc("prices", "check", str(SANDBOX), PRICE_FILE="/nowhere", DATABASE_URL="mysql://x").exit_code == 0


def test_check_loads_neither_dagster_nor_a_database_driver(environ):
    code = (
        "import sys\nfrom wxyc_assets.cli.program import run\n"
        f"assert run(['prices', 'check', {str(SANDBOX)!r}]) == 0\n"
        "assert not {'dagster', 'psycopg', 'httpx', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], env=environ, check=True, capture_output=True)


def test_help_shows_examples(wxyc):
    shown = wxyc("prices", "check", "--help")
    assert shown.exit_code == 0
    assert 'wxyc prices check "$PRICE_FILE" | jq' in shown.stdout
