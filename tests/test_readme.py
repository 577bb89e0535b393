"""What the README says is what is there: its commands, its settings, its checks."""

import re
from pathlib import Path

from wxyc_assets.album_metadata import checks as album_metadata
from wxyc_assets.cli.program import COMMANDS
from wxyc_assets.flowsheet_enrichment import checks as flowsheet_enrichment
from wxyc_assets.library_identity import checks as library_identity
from wxyc_assets.rated_usage import checks as rated_usage
from wxyc_assets.rotation_cache import checks as rotation_cache
from wxyc_assets.rotation_identity import checks as rotation_identity
from wxyc_assets.settings import ALL_GROUPS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
RUNBOOK = (ROOT / "docs" / "operations.md").read_text()


def test_the_two_commands_come_first_and_exist():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shown = re.findall(r"^    make ([a-z]+)", README, re.MULTILINE)
    assert shown[:2] == ["demo", "test"]
    assert set(shown) <= set(targets)


def test_every_command_is_listed_and_every_listed_command_exists():
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


ROOMS = [library_identity, album_metadata, flowsheet_enrichment, rotation_identity, rotation_cache, rated_usage]
CHECKS = {spec.name for room in ROOMS for spec in room.SPECS}


def test_every_check_is_in_the_runbooks_table_of_checks():
    shown = re.findall(
        r"^\| `([a-z0-9_]+)`(?: \(blocking[a-z_ ]*\))? \| .+ \| .+ \| (?:ERROR|WARN) \|$", RUNBOOK, re.MULTILINE
    )
    assert set(shown) == CHECKS


def test_every_alert_has_its_row_in_the_runbook():
    cells = re.findall(r"^\| (?:checks?|alert) .+? \|", RUNBOOK, re.MULTILINE)
    named = {name for cell in cells for name in re.findall(r"`([a-z0-9_]+)`", cell)}
    assert CHECKS - named == set()
    assert named >= {"freshness", "stale_shards", "database_unreachable", "run"}
