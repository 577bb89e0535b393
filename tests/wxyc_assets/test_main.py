"""``python -m wxyc_assets`` is ``wxyc``."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest


def test_module_and_script_are_the_same_program():
    script = Path(sys.executable).parent / "wxyc"
    for command in ([sys.executable, "-m", "wxyc_assets"], [str(script)]):
        finished = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert finished.stdout == f"{version('wxyc-assets')}\n"


@pytest.mark.parametrize("how", ["module", "script"])
def test_modules_in_the_working_folder_are_not_imported(tmp_path, how):
    """Not by the program, and not by a run that it executes in its own process."""
    for name in ("gql", "resources", "sensors", "dagster", "json", "click", "psycopg", "httpx"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the working folder is on the import path')\n")
    script = Path(sys.executable).parent / "wxyc"
    command = [sys.executable, "-m", "wxyc_assets"] if how == "module" else [str(script)]
    environ = {
        "PATH": os.environ["PATH"],
        "WXYC_HOME": str(tmp_path / "home"),
        "DATABASE_URL": "postgresql://127.0.0.1:9/x",
    }
    finished = subprocess.run(
        [*command, "run", "flowsheet_enrichment"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environ,
    )
    assert finished.returncode == 1
    assert "working folder" not in finished.stderr + finished.stdout
    assert "127.0.0.1" in finished.stdout  # it got as far as the database, which cannot be reached
