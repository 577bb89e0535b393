"""The runbook's commands work: run in a shell, with the real jq, on the logs of real runs."""

import json
import os
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from resources.postgres import Postgres
from tests.sentry_watch import watched_sentry
from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, all_match, failed, serve_lookups
from tests.wxyc_assets.assets.album_metadata.harness import AlbumMetadataRuns
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import FlowsheetEnrichmentRuns
from tests.wxyc_assets.assets.library_identity.harness import LibraryIdentityRuns
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.cli.commands import COMMANDS
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml.server import SandboxLml

RUNBOOK = (Path(__file__).parent.parent / "docs" / "operations.md").read_text()
STAND_IN = Path(__file__).parent / "jq_program.py"

IDENTITY, FOLLOW, WATCHDOG, FIRST_20, PASS, MISMATCHES = JQ = (
    "rows_resolved", "jq -c --unbuffered", "ABORT", "sort_by(.batch_index)", "post_pass_update_done",
    "unexpected_result_index",
)  # fmt: skip
"""Words that each occur in one documented jq command only."""


def documented_commands() -> list[str]:
    """Return every indented command of the runbook, with its continued lines, and every one between backticks."""
    commands, lines = [], []
    for line in re.findall(r"^ {4,}(\S.*)$", RUNBOOK, re.MULTILINE):
        lines.append(line)
        text = "\n".join(lines)
        if text.count("'") % 2 == 0 and not text.endswith("|") and (";" in text or not text.startswith("SELECT")):
            commands.append(text)
            lines = []
    assert lines == []
    prose = re.sub(r"^ {4,}\S.*$", "", RUNBOOK, flags=re.MULTILINE)
    return commands + re.findall(r"`([^`]+)`", prose)


COMMANDS_OF_JQ = [command for command in documented_commands() if re.search(r"(^|\s)jq\s", command)]


def documented(word: str) -> str:
    (command,) = (command for command in COMMANDS_OF_JQ if word in command)
    return command


def test_the_tests_run_every_jq_program_of_the_runbook():
    assert len(COMMANDS_OF_JQ) == len({documented(word) for word in JQ}) == len(JQ)


# The logs


@dataclass(frozen=True)
class Logged:
    """Three runs: their logs, the events of the first in Sentry, and the database with its rows."""

    postgres: Postgres
    album_metadata: str
    flowsheet_enrichment: str
    library_identity: str
    events: list[dict[str, Any]]


SWAPPED, ONE_ERROR, LOST, SHIFTED = 3, 5, 7, 12
"""Shards for which LML returns faults; the first 20 batches are those of shards 0 to 9, two each."""


def misbehaving(items):
    """Answer a batch of five albums; ids run from 1 to 160, so the first batch of a shard begins below 17."""
    shard, first = album_id_of(items[0]) % 16, album_id_of(items[0]) <= 16
    answers = all_match(items)
    if shard == SWAPPED and first:
        answers[0], answers[1] = answers[1], answers[0]
    elif shard == ONE_ERROR and not first:
        answers[4] = failed(4)
    elif shard == LOST and first:
        return 404, {}
    elif shard == SHIFTED:
        return answers[1:]
    return answers


@pytest.fixture(scope="module")
def logged(server, station_template) -> Iterator[Logged]:
    dsn = server.create_database(template=str(psycopg.conninfo.conninfo_to_dict(station_template)["dbname"]))
    postgres = Postgres(dsn)
    with postgres.connect() as connection:
        generate_libraries(connection, 160, first_id=1)
        generate_plays(connection, 320)
    sentry, collector = watched_sentry()
    albums, flowsheet, libraries = (
        AlbumMetadataRuns(postgres, sentry),
        FlowsheetEnrichmentRuns(postgres),
        LibraryIdentityRuns(postgres),
    )
    with closing(sentry), serve_lookups(misbehaving) as lml:
        assert albums.run(lml.url).verdict == "anomaly"
        sentry.flush()
    flowsheet.run()
    with SandboxLml() as lml:
        libraries.run(lml.url)
    album_log, flowsheet_log, library_log = (runs.log_text for runs in (albums, flowsheet, libraries))
    yield Logged(postgres, album_log, flowsheet_log, library_log, collector.events)
    server.drop_database(dsn)


# The shell


@pytest.fixture(params=["libjq", "program"])
def shell(request, tmp_path):
    """A shell in its own folder, with libjq through its Python bindings as jq or, where it is installed, the program."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    if request.param == "libjq":
        jq = binaries / "jq"
        jq.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(STAND_IN))} "$@"\n')
        jq.chmod(0o755)
    elif shutil.which("jq") is None:
        pytest.skip("no program jq here")
    return Shell(tmp_path, f"{binaries}{os.pathsep}{os.environ['PATH']}")


@dataclass(frozen=True)
class Shell:
    """Runs documented commands in a folder with the logs that they name."""

    folder: Path
    path: str

    def write(self, name: str, text: str) -> None:
        """Append to a log."""
        with (self.folder / name).open("a") as log:
            log.write(text)

    def results(self, command: str) -> list[Any]:
        """Run a command to its end and return the JSON values that it prints."""
        with self._process(command) as process:
            printed, said = process.communicate(timeout=30)
        assert (process.returncode, said) == (0, "")
        decoder, values = json.JSONDecoder(), []
        while printed := printed.lstrip():
            value, end = decoder.raw_decode(printed)
            values.append(value)
            printed = printed[end:]
        return values

    @contextmanager
    def following(self, command: str) -> Iterator["Following"]:
        """Run a command that watches a growing log, and kill it at the end of the block."""
        with self._process(command) as process:
            try:
                yield Following(process)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def _process(self, command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["sh", "-c", command],
            cwd=self.folder,
            env={**os.environ, "PATH": self.path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


@dataclass(frozen=True)
class Following:
    """The output of a watching command, line by line."""

    process: "subprocess.Popen[str]"

    def line(self) -> str:
        """Return the next line as soon as the command prints it."""
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 20)
        assert ready, "the command printed nothing for 20 s"
        return self.process.stdout.readline().rstrip("\n")


def steps(log: str, step: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, log.splitlines()) if line["step"] == step]


def with_foreign_lines(log: str) -> str:
    """Return the log with lines of other libraries, which write to stderr too."""
    return "WARNING: Retrying failed connection\n\n" + log.replace("\n", "\n\tIs the server running?\n{\n", 1)


# Album metadata, while it runs


def test_the_summary_adds_up_the_first_20_batches(shell, logged):
    shell.write("run.log", with_foreign_lines(logged.album_metadata))
    batches = steps(logged.album_metadata, "batch_done")
    assert len(batches) == 32
    (summary,) = shell.results(documented(FIRST_20))
    assert summary == {
        "batches": 20,
        "max_wall_ms": max(line["wall_clock_ms"] for line in batches[:20]),
        "total_errors": 1 + 5,
        "total_scanned": 100,
        "total_unexpected_index": 2,
    }


def test_the_first_20_batches_are_those_by_index(shell, logged):
    shell.write("run.log", "".join(reversed(logged.album_metadata.splitlines(keepends=True))))
    (summary,) = shell.results(documented(FIRST_20))
    assert (summary["batches"], summary["total_errors"], summary["total_unexpected_index"]) == (20, 6, 2)


def test_the_follower_prints_a_batch_at_once(shell, logged):
    batches = [f"{line}\n" for line in logged.album_metadata.splitlines() if '"step":"batch_done"' in line]
    shell.write("run.log", with_foreign_lines(logged.album_metadata.partition(batches[0])[0]))
    with shell.following(documented(FOLLOW)) as seen:
        for line in batches[:3]:
            shell.write("run.log", line)
            assert json.loads(seen.line()) == json.loads(line)


def test_the_watchdog_names_only_the_first_batch_over_25_s(shell, logged):
    lines = with_foreign_lines(logged.album_metadata).splitlines()
    batches = [place for place, line in enumerate(lines) if '"step":"batch_done"' in line]
    for batch_index, wall_clock_ms in ((2, 25_000), (9, 25_001), (11, 99_999)):
        line = lines[batches[batch_index - 1]]
        lines[batches[batch_index - 1]] = re.sub(r'"wall_clock_ms":\d+', f'"wall_clock_ms":{wall_clock_ms}', line)
    shell.write("run.log", "\n".join(lines[: batches[8]]) + "\n")
    with shell.following(documented(WATCHDOG)) as seen:
        shell.write("run.log", "\n".join(lines[batches[8] : batches[9]]) + "\n")
        assert seen.line() == "ABORT: batch_index=9 wall_clock_ms=25001"
        for _ in range(200):  # a program of the pipe notices that its reader is gone when it next writes
            shell.write("run.log", lines[batches[10]] + "\n")
            with suppress(subprocess.TimeoutExpired):
                seen.process.wait(0.1)
                break
        assert (seen.process.returncode, seen.line()) == (0, "")


def test_the_log_has_the_number_of_marked_plays(shell, logged):
    shell.write("pass.log", with_foreign_lines(logged.flowsheet_enrichment))
    ((flipped,),) = rows(logged, "SELECT count(*) FROM flowsheet WHERE metadata_status = 'enriched_match'")
    assert 0 < flipped < 320
    (said,) = shell.results(documented(PASS))
    assert said == {
        "flipped": flipped,
        "wall_clock_ms": steps(logged.flowsheet_enrichment, "post_pass_update_done")[0]["wall_clock_ms"],
    }


def test_the_log_names_the_rows_with_an_unexpected_index(shell, logged):
    shell.write("run.log", with_foreign_lines(logged.album_metadata))
    named = shell.results(documented(MISMATCHES))
    swapped, shifted = named[:2], named[2:]
    assert swapped == [
        {"album_id": 3, "expected_index": 0, "got_index": 1},
        {"album_id": 19, "expected_index": 1, "got_index": 0},
    ]
    assert [one["album_id"] for one in shifted] == list(range(12, 160, 16))
    assert [(one["expected_index"], one["got_index"]) for one in shifted] == [
        (0, 1),
        (1, 2),
        (2, 3),
        (3, 4),
        (4, None),
    ] * 2


# The rest of the document


def test_the_last_batch_shows_the_progress(shell, logged):
    shell.write("run.log", with_foreign_lines(logged.library_identity))
    last = steps(logged.library_identity, "batch_done")[-1]
    assert last["scanned"] == 160
    assert shell.results(documented(IDENTITY)) == [
        {name: last[name] for name in ("scanned", "rows_resolved", "rows_skipped")}
    ]


def rows(logged, query):
    with logged.postgres.connect() as connection:
        return connection.execute(query).fetchall()


def test_every_query_of_the_runbook_works(logged):
    """The query of unexpected indexes returns the albums that have one."""
    queries = [command for command in documented_commands() if command.startswith("SELECT")]
    answers = {query: rows(logged, query) for query in queries}
    assert len(answers) >= 3
    (mismatched,) = (answer for query, answer in answers.items() if "unexpected_index" in query)
    assert [album_id for album_id, *_ in mismatched] == [3, 19, *range(12, 160, 16)]
    assert mismatched[0][1] == "position 0: index 1 in its place"


def test_the_runbook_explains_the_sentry_issue_of_its_title(logged):
    batches = [event["message"] for event in logged.events if "index" in event["fingerprint"][-1]]
    assert set(batches) == {"album-level-backfill.unexpected_index"}
    assert f"### When `{batches[0]}` comes up in Sentry" in RUNBOOK
    crumb = next(e for e in logged.events if e["message"] in batches)["breadcrumbs"]["values"][0]["data"]
    named = re.findall(r"`(first_mismatch_\w+)`", RUNBOOK)
    assert {name: crumb[name] for name in named} == {
        "first_mismatch_album_id": 3, "first_mismatch_index": 0, "first_mismatch_got": 1,
    }  # fmt: skip


def test_every_wxyc_command_of_the_runbook_exists():
    commands = re.findall(r"wxyc\s([a-z]+)(?:\s([a-z_]+))?", re.sub(r"`wxyc_assets", "`", RUNBOOK))
    assert {command for command, _ in commands} <= set(COMMANDS)
    assert {asset for command, asset in commands if command == "run" and asset} <= set(BY_NAME)
