"""A wrong command line names the right command or option."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("statsu", "Did you mean `wxyc status`?"),
        ("usage --auth a", "Did you mean `wxyc why usage`?"),
        ("why usge", "Did you mean `wxyc why usage`?"),
        ("library_identity", "It is an asset: `wxyc run library_identity` runs it."),
        ("qqq", "The commands are demo, up, down"),
        ("status --jsn", "Did you mean '--json'?"),
        ("run rated_usage --sinc x", "'--since'"),
        ("run library_identity --close 3", "It is an option of `wxyc alerts`."),
        ("why --auth a", "It is an option of `wxyc why usage` and `wxyc bill`."),
        ("--partition 3 run library_identity", "It is an option of `wxyc run`."),
        ("why usage --qqq", "The options are --auth, --hour, --json"),
        (
            "run rated_usage --partition 3",
            "not for rated_usage, which takes --since, --until, --late, --prices, --plan and",
        ),
        ("run album_metadata --plan", "--plan is for rated_usage, not for album_metadata, which takes --partition and"),
        ("run rotation_identity --partition 3", "not for rotation_identity, which takes --dry-run"),
        ("run", "Missing argument 'ASSET'"),
    ],
)
def test_wrong_command_line_names_the_right_one(wxyc, arguments, says):
    finished = wxyc(*arguments.split())
    assert finished.exit_code == 1
    assert says in finished.printed["error"]
    assert says in finished.stderr
