"""deploy/entrypoint.py: refuses to start without Dagster's storage, else executes the command."""

import subprocess
import sys

import pytest

from tests.processes import running
from tests.services.deployment import DEPLOY

SHOW = [sys.executable, "-c", "import os; print(os.environ['WXYC_DAGSTER_STORAGE_URL'], os.getpid())"]


def start(*command, **environ):
    pipe = subprocess.PIPE
    entry = [sys.executable, DEPLOY / "entrypoint.py", *command]
    with running(entry, env=environ, stdout=pipe, stderr=pipe, text=True) as process:
        out, err = process.communicate(timeout=200)
    return process, out, err


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_it_sets_the_storage_url_and_executes_the_command(scheme):
    process, out, _ = start(*SHOW, DAGSTER_DATABASE_URL=f" {scheme}://u:p%40ss@db:5432/dagster?sslmode=require\n")
    assert out.split() == ["postgresql+psycopg2://u:p%40ss@db:5432/dagster?sslmode=require", str(process.pid)]


@pytest.mark.parametrize("url", [None, "", "dagster", "sqlite:///x", "postgresql+psycopg://u@db/x"])
def test_it_refuses_to_start_without_a_storage(url):
    process, out, err = start(*SHOW, **({} if url is None else {"DAGSTER_DATABASE_URL": url}))
    assert (process.returncode, out) == (1, "")
    assert err.startswith("DAGSTER_DATABASE_URL: must be a postgresql:// URL")
    assert not url or url not in err.replace("postgresql://", "")


def test_it_names_a_command_that_does_not_exist():
    process, _, err = start("dagstre", DAGSTER_DATABASE_URL="postgresql://db/x")
    assert (process.returncode, err) == (1, "dagstre: No such file or directory\n")


def test_without_a_command_it_prints_its_usage():
    assert "COMMAND" in start(DAGSTER_DATABASE_URL="postgresql://db/x")[2]
