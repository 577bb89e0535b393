"""docs/lml.md has the client's own numbers, and each of its curl commands has the effect on a run that the page states."""

import inspect
import re
import shutil
import subprocess
import time
from dataclasses import fields
from decimal import Decimal
from typing import get_args

import pytest

from resources.deploy_gate.rules import GATE_SHA
from resources.lml import endpoints, errors
from resources.lml.call_guard import BREAKER_FAILURES
from resources.lml.capture_text import CAP_BYTES
from resources.lml.config import LmlConfig
from tests.documents import LML, code
from tests.wxyc_assets.assets.album_metadata.harness import AlbumMetadataRuns
from tests.wxyc_assets.assets.library_identity.harness import LibraryIdentityRuns
from wxyc_assets.assets.library_identity.drain import PAGE_SIZE
from wxyc_assets.assets.library_identity.store import VA_PAGE_SIZE
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml import faults
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.settings import RotationSettings, load


def test_the_client_calls_the_endpoints_as_the_table_says():
    rows = LML.table("caller", "endpoint", "inputs in a call", "LML's cap", "timeout", "Discogs calls reserved")
    listed = {code(asked)[0]: (inputs, cap, timeout) for _, asked, inputs, cap, timeout, _ in rows[:-1]}
    every = [value for _, value in inspect.getmembers(endpoints) if isinstance(value, endpoints.Endpoint)]
    assert listed.keys() == {f"{endpoint.method} {endpoint.path}" for endpoint in every}

    def said(endpoint):
        return listed[f"{endpoint.method} {endpoint.path}"]

    inputs = f"{PAGE_SIZE} libraries; {VA_PAGE_SIZE} compilations, with their tracks"
    cap, timeout = str(endpoints.LIBRARIES_CAP), f"{endpoints.RESOLVE_LIBRARIES.timeout_s} s"
    assert said(endpoints.RESOLVE_LIBRARIES) == (inputs, cap, timeout)
    item_s, slack_s = endpoints.LOOKUP_ITEM_TIMEOUT_S, endpoints.LOOKUP_SLACK_S
    assert said(endpoints.BULK_LOOKUP)[1:] == (str(endpoints.LOOKUP_CAP), f"{item_s:g} s an album and {slack_s:g} s")
    assert said(endpoints.RESOLVE_IDENTITY)[1:] == ("1", f"{endpoints.RESOLVE_IDENTITY.timeout_s} s")
    assert (said(endpoints.REFRESH)[0], DiscogsRate(60, 1).batch_size(50)) == (
        "what half a minute of the budget holds, at least 1",
        30,
    )
    assert said(endpoints.REFRESH)[1:] == (str(endpoints.REFRESH_CAP), "`BACKFILL_LML_BATCH_TIMEOUT_MS`")
    assert load(RotationSettings, {}).batch_timeout_ms == endpoints.REFRESH.timeout_s * 1000
    assert said(endpoints.HEALTH)[2] == f"{endpoints.HEALTH.timeout_s} s"
    assert rows[-1][4] == f"{endpoints.PROBE.timeout_s} s"


def test_the_numbers_of_a_call_are_the_clients_own():
    table = {code(name)[0]: Decimal(value) for name, value, _ in LML.table("name", "value", "meaning")}
    elsewhere = {
        "base_url",
        "api_key",
        "timeouts_s",
        *(name.name for name in fields(LmlConfig) if name.name.startswith("cost_")),
    }
    defaults = {field.name: field.default for field in fields(LmlConfig) if field.name not in elsewhere}
    assert table == {name: Decimal(str(value)) for name, value in defaults.items()}
    assert f"cut at {CAP_BYTES} bytes" in LML.on_one_line
    assert f"commit `{GATE_SHA}`" in LML.on_one_line


def test_the_client_handles_every_error_as_the_table_says():
    seen = set()
    for _, error, again, nearer in LML.table("what happens", "error", "retried", "counts for the breaker"):
        kind = getattr(errors, code(error)[0])
        seen.add(kind)
        assert nearer in ({"yes"} if kind in BREAKER_FAILURES else {"no", "-"})
        if kind not in {
            errors.LmlBrokenAnswer,
            errors.LmlUnavailable,
        }:  # it depends on the answer; without a call there is no retry
            assert again.startswith("yes" if kind.retryable else "no")
    assert seen == set(errors.LmlError.__subclasses__())


def test_every_fault_of_the_sandbox_is_in_the_table():
    kinds = [kind for row in LML.table("kind", "what LML returns") for kind in code(row[0])]
    assert sorted(kinds) == sorted((*get_args(faults.TransportKind), *get_args(faults.AnswerKind)))
    (named,) = re.findall(r"A fault has an `endpoint` \(([^)]+)\)", LML.on_one_line)
    assert set(code(named)) == {*get_args(faults.Endpoint), "*"}


@pytest.fixture
def small_station(station):
    with station.connect() as connection:
        generate_libraries(connection, 80, first_id=1)
        generate_plays(connection, 160)
    return station


def documented_curl(word: str) -> tuple[str, str]:
    """Return the command that has the word in it, and the paragraph above it."""
    paragraphs = re.findall(r"\n\n([^`\n].*?)\n\n```sh\n(curl [^\n]*)\n```", LML.text, re.DOTALL)
    ((said, command),) = ((said.rpartition("\n\n")[2], command) for said, command in paragraphs if word in command)
    return command, " ".join(said.split())


def curl(command: str, lml: SandboxLml) -> str:
    if shutil.which("curl") is None:
        pytest.skip("no program curl here")
    there = command.replace("http://127.0.0.1:8081", lml.url)
    assert there != command
    finished = subprocess.run(["sh", "-c", there], capture_output=True, text=True, timeout=30, check=True)
    return finished.stdout


def test_swapped_answers_are_not_written(small_station):
    command, said = documented_curl('"swapped"')
    assert "counts `unexpected_index` 2, and exits 2" in said
    with SandboxLml() as lml:
        curl(command, lml)
        report = AlbumMetadataRuns(small_station).run(lml.url)
    assert (report.verdict, report.counters.unexpected_index) == ("anomaly", 2)


def test_a_page_without_an_answer_does_not_cost_another(small_station):
    command, said = documented_curl('"status": 404')
    assert "does the others, and exits 2" in said
    with SandboxLml() as lml:
        curl(command, lml)
        report = LibraryIdentityRuns(small_station).run(lml.url)
    assert report.verdict == "anomaly"
    assert 0 < report.counters.lml_error < report.counters.scanned == 80


def test_a_429_makes_every_caller_wait_and_loses_nothing(small_station):
    command, said = documented_curl('"rate_limited"')
    assert "waits for two seconds" in said
    runs = AlbumMetadataRuns(small_station)
    with SandboxLml() as lml:
        curl(command, lml)
        began_s = time.monotonic()
        report = runs.run(lml.url, client={"attempts": 3})
    assert (report.verdict, report.counters.unanswered) == ("done", 0)
    assert time.monotonic() - began_s >= 2
    assert runs.rows("SELECT blocked_until > '-infinity' FROM wxyc_assets.budget") == [(True,)]


def test_an_lml_that_is_down_costs_every_page_and_writes_nothing(small_station):
    command, said = documented_curl('"disconnect"')
    assert "walks every page, writes nothing, and exits 1" in said
    runs = LibraryIdentityRuns(small_station)
    with SandboxLml() as lml:
        curl(command, lml)
        report = runs.run(lml.url)
        assert '"kind":"disconnect"' in curl("curl -s http://127.0.0.1:8081/sandbox/state", lml)
        curl("curl -s -X DELETE http://127.0.0.1:8081/sandbox/faults", lml)
        assert lml.state()["faults"] == []
    assert (report.verdict, report.counters.scanned, report.counters.lml_error) == ("failed", 80, 80)
    assert runs.rows("SELECT count(*) FROM library_identity") == [(0,)]
