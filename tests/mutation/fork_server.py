"""Runs pytest in forks of one process, which has loaded the libraries that take seconds to import.

Usage: ``python fork_server.py LIBRARY ...``, in the tree whose tests are run, with that tree as PYTHONPATH. A line on stdin is
a JSON array: the file for the output, then the arguments of pytest. A line on stdout is pytest's exit code, or ``FOREIGN`` if
code of the project was imported from another tree.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Final

PACKAGES: Final = ("wxyc_assets", "resources", "sensors", "tests")
FOREIGN: Final = 100


def main() -> None:
    sys.path.pop(0)  # the folder of this program: its files are modules of the package only
    for library in sys.argv[1:]:
        importlib.import_module(library)
    for line in sys.stdin:
        output, *arguments = json.loads(line)
        sys.stdout.write(f"{_forked(output, arguments)}\n")
        sys.stdout.flush()


def _forked(output: str, arguments: list[str]) -> int:
    """Run pytest in a fork and return its exit code, negative if a signal ended it."""
    pid = os.fork()
    if pid:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    code = FOREIGN
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        for number, target in ((os.open(os.devnull, os.O_RDONLY), 0), (descriptor, 1), (descriptor, 2)):
            os.dup2(number, target)
        code = _tested(arguments)
    except BaseException:  # noqa: BLE001 - the fork must never go on as the server
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _tested(arguments: list[str]) -> int:
    import pytest

    code = int(pytest.main(arguments))
    if foreign := foreign_modules(Path.cwd()):
        sys.stdout.write(f"imported from another tree: {', '.join(foreign)}\n")
        return FOREIGN
    return code


def foreign_modules(root: Path) -> list[str]:
    """Return the loaded modules of the project that are not below ``root``, each with its file."""
    files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    return sorted(
        f"{name} ({file})"
        for name, file in files.items()
        if name.partition(".")[0] in PACKAGES and file and not Path(file).resolve().is_relative_to(root.resolve())
    )


if __name__ == "__main__":
    main()
