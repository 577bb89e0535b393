"""The part of this machine's environment that a program of the tests needs, without the developer's own settings."""

import os

INHERITED = ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "COVERAGE_PROCESS_CONFIG")
"""The last one makes a program measure its coverage, for `make coverage`."""

SYSTEM = {name: os.environ[name] for name in INHERITED if name in os.environ}
