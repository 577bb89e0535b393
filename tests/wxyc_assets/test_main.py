"""``python -m wxyc_assets`` is ``wxyc``."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path


def test_module_and_script_are_the_same_program():
    script = Path(sys.executable).parent / "wxyc"
    for command in ([sys.executable, "-m", "wxyc_assets"], [str(script)]):
        finished = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
        assert finished.stdout == f"{version('wxyc-assets')}\n"
