"""Log lines as text for a terminal."""

import pytest

from wxyc_assets.cli.log_lines import line_text, word

BASE = {"timestamp": "2026-06-08T10:00:00.000Z", "repo": "wxyc_assets", "tool": "t", "run_id": "r"}


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({"level": "info", "step": "unit_wait", "message": "waiting: 3", "partition": 3}, "waiting: 3"),
        (
            {"level": "warn", "step": "lml_error", "message": "", "size": 5, "error_message": "timed out"},
            "lml_error: timed out (size=5)",
        ),
        (
            {"level": "warn", "step": "mismatch", "message": "", "got": None, "of": ""},
            'mismatch (got=null of="")',
        ),
    ],
)
def test_a_line_is_its_message_and_its_fields(line, text):
    assert line_text({**BASE, **line}) == text


def test_a_value_stays_on_its_line_and_cannot_steer_a_terminal():
    """LML's errors may hold whatever a catalogue holds."""
    assert word("LML said\nno \x1b[2J") == r"LML said\nno \x1b[2J"
    assert word("timed out", quoted=True) == '"timed out"'
