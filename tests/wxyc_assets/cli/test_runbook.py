"""``wxyc runbook``: the sections of docs/operations.md, wherever the package is installed."""

import subprocess
import sys
import zipfile

import pytest

from tests.documents import OPERATIONS, ROOT
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.runbook_sections import find_section, sections
from wxyc_assets.monitoring.alerts.story import ADVICE
from wxyc_assets.runs.runbook import SECTION_OF_KIND, command, section


@pytest.mark.parametrize("source", [*ADVICE, *SECTION_OF_KIND])
def test_the_command_of_every_alert_prints_its_section(source):
    (name,) = command(section(source)).split()[2:]
    text = find_section(name).text
    assert text.startswith(f"### `{name}`\n")
    assert "**Do.**" in text


def test_the_sections_are_the_whole_runbook():
    joined = "\n\n".join(part.text for part in sections().values())
    assert OPERATIONS.text.partition("\n## ")[2].split() == joined.removeprefix("## ").split()


def test_an_anchor_is_a_name_as_well():
    assert find_section("docs/operations.md#unpriced_zero") is find_section("unpriced_zero")
    assert find_section("the-discogs-budget").title == "The Discogs budget"


def test_a_wrong_name_is_answered_with_similar_ones():
    with pytest.raises(CannotError, match="did you mean unpriced_zero"):
        find_section("unpriced_zeros")
    with pytest.raises(CannotError, match="`wxyc runbook` lists all"):
        find_section("xyzzy")


def test_the_program_prints_a_section_or_lists_all(wxyc):
    one = wxyc("runbook", "unpriced_zero")
    assert (one.exit_code, one.printed["name"]) == (0, "unpriced_zero")
    assert one.stderr.splitlines()[0] == "### `unpriced_zero`"
    listed = wxyc("runbook")
    assert [each["name"] for each in listed.printed["sections"]] == list(sections())
    assert "The checks: `wxyc runbook the-checks`\n  accounting_holds\n" in listed.stderr
    assert wxyc("runbook", "unpriced_zeros").exit_code == 1


def test_the_wheel_has_the_runbook(tmp_path):
    """As a file of its own: a link would lead out of the wheel. The program of an unpacked wheel prints it."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    shown = subprocess.run(
        [sys.executable, "-c", "import wxyc_assets.cli as cli; print(cli.__file__); cli.main()", "runbook", "failed_run"],
        env={"PYTHONPATH": str(tmp_path / "site")}, cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert str(tmp_path / "site") in shown.stdout
    assert "### `failed_run`" in shown.stderr
