"""deploy/entrypoint.py: a container refuses to start without a database, and is its command otherwise."""

import subprocess
import sys

import pytest

from tests.services.topology import DEPLOY

SHOW = [sys.executable, "-c", "import os; print(os.environ['WXYC_DAGSTER_STORAGE_URL'], os.getpid())"]


def start(*command, **environ):
    process = subprocess.Popen(
        [sys.executable, DEPLOY / "entrypoint.py", *command],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    out, err = process.communicate(timeout=20)
    return process, out, err


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_it_names_the_driver_that_dagster_can_work_with_and_becomes_its_command(scheme):
    process, out, _ = start(*SHOW, DAGSTER_DATABASE_URL=f" {scheme}://u:p%40ss@db:5432/dagster?sslmode=require\n")
    assert out.split() == ["postgresql+psycopg2://u:p%40ss@db:5432/dagster?sslmode=require", str(process.pid)]


@pytest.mark.parametrize("url", [None, "", "dagster", "sqlite:///x", "postgresql+psycopg://u@db/x"])
def test_without_a_storage_nothing_starts_since_it_would_be_on_a_database_of_its_own(url):
    process, out, err = start(*SHOW, **({} if url is None else {"DAGSTER_DATABASE_URL": url}))
    assert (process.returncode, out) == (1, "")
    assert err.startswith("DAGSTER_DATABASE_URL: must be a postgresql:// URL")
    assert not url or url not in err.replace("postgresql://", "")


def test_a_command_that_is_not_there_is_named():
    process, _, err = start("dagstre", DAGSTER_DATABASE_URL="postgresql://db/x")
    assert (process.returncode, err) == (1, "dagstre: No such file or directory\n")


def test_without_a_command_it_says_how_it_is_used():
    assert "COMMAND" in start(DAGSTER_DATABASE_URL="postgresql://db/x")[2]
