"""A module says "Pure." exactly if an import contract keeps it so, and it uses no clock, file, environment or thread."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import ROOT

PACKAGES = ("wxyc_assets", "resources", "sensors")
MARKER = re.compile(r"\bPure\b")
CONTRACT = "Pure rules"
IMPURE_MODULES = {
    "asyncio", "concurrent", "contextvars", "ctypes", "fcntl", "fileinput", "http", "importlib", "io", "logging",
    "multiprocessing", "os", "pathlib", "queue", "random", "sched", "secrets", "select", "selectors", "shutil", "signal",
    "socket", "ssl", "subprocess", "tempfile", "threading", "time", "uuid",
}  # fmt: skip
IMPURE_URLLIB = {"urllib.request", "urllib.response"}  # urllib.parse is pure
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "breakpoint", "__import__"}
IMPURE_ATTRIBUTES = {
    "now",
    "today",
    "utcnow",
    "environ",
    "getenv",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
}
IMPURE_SYS = {"argv", "stdin", "stdout", "stderr", "modules", "path", "exit"}


def _modules() -> dict[str, Path]:
    found = {}
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _pattern(listed: str) -> re.Pattern[str]:
    """The import contract's wildcards: ``*`` is one part of a name, ``**`` any number; a package has all that is below."""
    parts = {"*": r"[^.]+", "**": r".+"}
    return re.compile(r"\.".join(parts.get(part, re.escape(part)) for part in listed.split(".")) + r"(\..+)?")


def _contract() -> list[str]:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (pure,) = [contract for contract in contracts if contract["name"].startswith(CONTRACT)]
    return list(pure["source_modules"])


MODULES = _modules()
MARKED = {name for name, path in MODULES.items() if MARKER.search(ast.get_docstring(_tree(path)) or "")}
LISTED = {name for name in MODULES for listed in _contract() if _pattern(listed).fullmatch(name)}


def impurities(tree: ast.Module) -> Iterator[str]:
    """Yield each import, call or attribute that takes in more than arguments, or has an effect."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (f"import {alias.name}" for alias in names if _impure(alias.name))
            case ast.ImportFrom(module=str(module)) if _impure(module):
                yield f"from {module}"
            case ast.ImportFrom(module=str(module), names=names):
                yield from (
                    f"from {module} import {alias.name}" for alias in names if _impure(f"{module}.{alias.name}")
                )
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield f"{name}()"
            case ast.Attribute(value=ast.Name(id="sys"), attr=name) if name in IMPURE_SYS:
                yield f"sys.{name}"
            case ast.Attribute(attr=name) if name in IMPURE_ATTRIBUTES:
                yield f".{name}"
            case ast.Global(names=variables):
                yield f"global {', '.join(variables)}"


def _impure(module: str) -> bool:
    return module.partition(".")[0] in IMPURE_MODULES or module in IMPURE_URLLIB


def test_every_module_that_says_pure_is_under_the_contract():
    assert sorted(MARKED - LISTED) == []


def test_every_module_under_the_contract_says_pure():
    assert sorted(LISTED - MARKED) == []


def test_every_entry_of_the_contract_names_a_module():
    unmatched = [listed for listed in _contract() if not any(map(_pattern(listed).fullmatch, MODULES))]
    assert unmatched == []


@pytest.mark.parametrize("module", sorted(MARKED | LISTED))
def test_a_pure_module_takes_in_nothing_but_its_arguments(module):
    assert list(impurities(_tree(MODULES[module]))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time", "import os.path", "from pathlib import Path", "from threading import Lock", "import random",
        "import urllib.request", "from urllib import request", "open('x')", "datetime.now(UTC)", "date.today()",
        "path.read_text()", "os.environ", "sys.argv", "def f():\n    global x",
    ],
)  # fmt: skip
def test_a_clock_a_file_or_the_environment_is_found(source):
    assert list(impurities(ast.parse(source)))


def test_values_and_regular_expressions_are_pure():
    source = (
        "import re\nfrom datetime import UTC, datetime\nfrom urllib.parse import urlsplit\nx = datetime(2026, 1, 1)"
    )
    assert list(impurities(ast.parse(source))) == []
