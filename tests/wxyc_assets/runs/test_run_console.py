"""The console of a run without a terminal: JSON lines on stderr, secrets redacted, no progress."""

import json

from wxyc_assets.runs.progress import NoProgress
from wxyc_assets.runs.run_console import RunConsole


def test_log_of_a_run_is_json_without_secrets(capsys):
    RunConsole(secrets=("hunter2",)).log("a_tool", "a_run").info("started", "with hunter2")
    (line,) = capsys.readouterr().err.splitlines()
    logged = json.loads(line)
    assert (logged["tool"], logged["run_id"], logged["step"]) == ("a_tool", "a_run", "started")
    assert "hunter2" not in line


def test_console_shows_no_secret_and_by_default_no_progress():
    console = RunConsole(secrets=("hunter2",))
    assert "hunter2" not in repr(console)
    assert isinstance(console.progress, NoProgress)
    assert not console.progress.wants_total


def test_each_console_has_summaries_of_its_own():
    assert RunConsole().summaries is not RunConsole().summaries
