"""``wxyc completion``: the script for the shell, and what it then completes."""

import pytest

from wxyc_assets.cli.completion import SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_script_is_printed_on_stdout_alone(wxyc, shell):
    finished = wxyc("completion", shell)
    assert finished.exit_code == 0
    assert "_WXYC_COMPLETE" in finished.stdout
    assert finished.stderr == ""


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("wxyc sta", ["status"]), ("wxyc run libr", ["library_identity"]), ("wxyc why usage --h", ["--hour", "--help"])],
)
def test_shell_gets_commands_assets_and_options(wxyc, typed, completed):
    position = str(len(typed.split()) - 1)
    finished = wxyc(_WXYC_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=position)
    assert [line.split(",")[1] for line in finished.stdout.splitlines()] == completed


def test_unknown_shell_is_refused_with_those_that_are_known(wxyc):
    finished = wxyc("completion", "csh")
    assert finished.exit_code == 1
    assert all(shell in finished.printed["error"] for shell in SHELLS)
