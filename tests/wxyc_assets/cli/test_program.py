"""What every command prints, and how it exits."""

import pytest

from wxyc_assets.cli.program import COMMANDS


def test_help_teaches_every_command_on_stdout_without_loading_dagster(wxyc):
    shown = wxyc("--help")
    assert shown.exit_code == 0
    assert all(f"\n  {name} " in shown.stdout for name in COMMANDS)
    assert "Exit codes: 0 done, 1 could not, 2 done with something" in shown.stdout.replace("\n  ", " ")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(wxyc, name):
    shown = wxyc(name, "--help")
    assert shown.exit_code == 0
    assert len(shown.stdout.splitlines()) > 5


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["run"], "Missing argument"),
        (["run", "no_such_asset"], "is not"),
        (["run", "library_identity", "--partition", "16"], "0 to 15"),
        (["run", "library_identity", "--partition", "-1"], "0 to 15"),
        (["run", "library_identity", "--partition", "\N{ARABIC-INDIC DIGIT THREE}"], "0 to 15"),
        (["sandbox", "lml", "--port", "many"], "not a valid integer"),
    ],
)
def test_a_usage_error_exits_1_with_one_object_and_says_what_is_wrong(wxyc, arguments, says):
    finished = wxyc(*arguments)
    assert finished.exit_code == 1
    assert says in finished.printed["error"]
    assert "Usage: wxyc" in finished.stderr


def test_all_bad_settings_are_named_at_once(wxyc):
    finished = wxyc(
        "run",
        "library_identity",
        DATABASE_URL="mysql://x",
        LIBRARY_METADATA_URL="ftp://x",
        STALE_THRESHOLD_DAYS="0",
        SENTRY_TRACES_SAMPLE_RATE="2",
    )
    assert finished.exit_code == 1
    for name in ("DATABASE_URL", "LIBRARY_METADATA_URL", "STALE_THRESHOLD_DAYS", "SENTRY_TRACES_SAMPLE_RATE"):
        assert name in finished.printed["error"]
    assert "Traceback" not in finished.stderr
