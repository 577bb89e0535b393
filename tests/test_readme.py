"""The README agrees with the program: its commands and its settings."""

import re
from pathlib import Path

from wxyc_assets.cli.commands import COMMANDS
from wxyc_assets.settings import ALL_GROUPS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_two_commands_come_first_and_exist():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shown = re.findall(r"^    make ([a-z]+)", README, re.MULTILINE)
    assert shown[:2] == ["demo", "test"]
    assert set(shown) <= set(targets)


def test_the_listed_commands_are_those_of_the_program():
    assert {line.split()[1] for line in README.splitlines() if line.startswith("    wxyc ")} == set(COMMANDS)


def test_the_table_of_settings_is_what_the_program_reads():
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.+?) \| .+ \|$", README, re.MULTILINE))
    fields = {field.alias: field for group in ALL_GROUPS for field in group.model_fields.values()}
    assert rows.keys() == fields.keys()
    for name, field in fields.items():
        if field.default is None:
            assert rows[name] == "unset", name
        elif field.default is False:
            assert rows[name] == "off", name
        elif field.default_factory is None:
            assert rows[name] == f"`{field.default}`", name
