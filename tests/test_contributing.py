"""What a contributor relies on: the hooks of pre-commit, the packages of the wheel, and one list of tools in `make check`."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
(LOCAL,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
HOOKS = {hook["id"]: hook for hook in LOCAL["hooks"]}
CHECK = re.findall(
    r"^\t(?:\w+=\S+ )?\$\(BIN\)/(.+)$", (ROOT / "Makefile").read_text().partition("\ncheck:")[2], re.MULTILINE
)


def test_no_hook_downloads_anything():
    assert LOCAL["repo"] == "local"
    assert {hook["language"] for hook in HOOKS.values()} == {"system"}


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_passes_on_this_code(hook):
    """Run as pre-commit runs it: the words of the entry, then the files unless it takes none."""
    files = ["tests/test_contributing.py"] if HOOKS[hook].get("pass_filenames", True) else []
    tools = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([*shlex.split(HOOKS[hook]["entry"]), *files], cwd=ROOT, env=tools, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_hook_fails_on_code_that_breaks_a_rule(tmp_path):
    (tmp_path / "bad.py").write_text("import os\n")
    tools = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run([*shlex.split(HOOKS["ruff-check"]["entry"]), str(tmp_path / "bad.py")], cwd=ROOT, env=tools,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode != 0
    assert "F401" in done.stdout


def test_make_check_loads_the_definitions_once():
    assert [command.split()[0] for command in CHECK if re.match(r"dagster|dg", command)] == ["dagster"]
    assert [command.split()[0] for command in CHECK[:5]] == ["ruff", "ruff", "codespell", "mypy", "lint-imports"]


def test_the_wheel_says_that_its_packages_are_typed(tmp_path):
    """And it has every SQL file: the program loads them by name."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "packages"
    ]
    sql = {path.relative_to(ROOT).as_posix() for package in packages for path in (ROOT / package).rglob("*.sql")}
    assert {f"{package}/py.typed" for package in packages} | sql <= names
